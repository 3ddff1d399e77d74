"""Finished trials under other known metrics: states, reasons, the front; and back again."""

from __future__ import annotations

import numpy as np

from search.objectives import parse_constraints, parse_objectives
from search.rejudging import Rejudged, rejudge
from search.trials import TrialTable
from search.verdict import broken

OBJECTIVES = parse_objectives({"accuracy": "maximize", "latency_ms@a": "minimize"})
CONSTRAINTS = parse_constraints(["latency_ms@a <= 10", "size <= 5"])


def table(rows: list[tuple[str, str, float, float, float]]) -> TrialTable:
    """Return trials of (state, reason, accuracy, latency, size)."""
    states, reasons, *values = zip(*rows, strict=True)
    metrics = dict(zip(("accuracy", "latency_ms@a", "size"), map(np.array, values), strict=True))
    nothing, numbers = np.full(len(rows), np.nan), np.arange(len(rows))
    texts = np.array(reasons, object)
    return TrialTable(
        numbers, np.array(states, "U10"), np.zeros((len(rows), 1)), metrics, numbers, texts, texts, *[nothing] * 4
    )


def again(trials: TrialTable, latencies: list[float]) -> Rejudged:
    return rejudge(trials, {"latency_ms@a": np.array(latencies, float)}, OBJECTIVES, CONSTRAINTS)


def states(done: Rejudged) -> list[str]:
    return done.table.states.tolist()


def test_a_trial_that_breaks_a_bound_becomes_infeasible_and_leaves_the_front() -> None:
    done = again(table([("COMPLETED", "", 90, 8, 1), ("COMPLETED", "", 80, 7, 1)]), [12, 7])
    assert states(done) == ["INFEASIBLE", "COMPLETED"]
    assert done.table.reasons.tolist() == ["latency_ms@a is 12: expected latency_ms@a <= 10.0", ""]
    assert (done.on_front.tolist(), done.changed.tolist()) == ([False, True], [True, False])


def test_a_trial_that_breaks_none_any_more_completes() -> None:
    reason = broken(CONSTRAINTS, {"latency_ms@a": 12.0})
    done = again(table([("INFEASIBLE", reason, 90, 12, 1)]), [9])
    assert (states(done), done.table.reasons.tolist(), done.on_front.tolist()) == (["COMPLETED"], [""], [True])


def test_what_is_infeasible_for_another_reason_stays_so() -> None:
    trials = table([("INFEASIBLE", "cannot be built", 90, 12, 1), ("INFEASIBLE", "size is 9: expected", 90, 8, 9)])
    done = again(trials, [9, 9])
    assert states(done) == ["INFEASIBLE", "INFEASIBLE"]
    assert done.table.reasons.tolist() == trials.reasons.tolist()


def test_a_trial_that_was_cut_short_does_not_complete() -> None:
    reason = broken(CONSTRAINTS, {"latency_ms@a": 12.0})
    done = again(table([("INFEASIBLE", reason, np.nan, 12, 1)]), [9])
    assert states(done) == ["INFEASIBLE"]


def test_failed_and_stopped_trials_stay_so_with_their_new_latency() -> None:
    done = again(table([("FAILED", "x", np.nan, 1, 1), ("STOPPED", "y", 50, 1, 1)]), [20, 20])
    assert states(done) == ["FAILED", "STOPPED"]
    assert done.table.metrics["latency_ms@a"].tolist() == [20, 20]
    assert done.changed.all() and not done.on_front.any()


def test_the_first_values_again_give_the_first_states_and_reasons_again() -> None:
    reason = broken(CONSTRAINTS, {"latency_ms@a": 12.0})
    trials = table([("COMPLETED", "", 90, 8, 1), ("INFEASIBLE", reason, 95, 12, 1), ("FAILED", "x", np.nan, 3, 1)])
    there = again(trials, [16, 6, 6])
    back = again(there.table, [8, 12, 3])
    assert states(there) == ["INFEASIBLE", "COMPLETED", "FAILED"]
    assert (states(back), back.table.reasons.tolist()) == (trials.states.tolist(), trials.reasons.tolist())


def test_a_metric_that_trials_did_not_have_is_added() -> None:
    done = rejudge(table([("COMPLETED", "", 90, 8, 1)]), {"latency_ms@b": np.array([3.0])}, OBJECTIVES, CONSTRAINTS)
    assert done.table.metrics["latency_ms@b"].tolist() == [3.0]
    assert done.changed.tolist() == [True]


def test_no_trials_are_no_front() -> None:
    none = table([("COMPLETED", "", 90, 8, 1)]).select(np.array([], int))
    assert len(again(none, []).on_front) == 0
