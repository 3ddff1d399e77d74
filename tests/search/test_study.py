"""A study's life: asking, reporting, telling, ending, and reading what is stored."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from stored_study import SPACE, RegularizedEvolution, drive, evaluate, make_study, rows

from search.algorithms.random import Random
from search.attempt import trial_seed
from search.errors import SpaceChanged, StorageCorrupt, StudyChanged, StudyNotFound
from search.storage import Storage, open_storage
from search.study import Study
from search.trials import TrialState
from spaces.genotype import GenotypeSpace

GOOD = {"accuracy": 1.0, "latency_ms": 1.0}


@pytest.fixture
def local(tmp_path: Path) -> Storage:
    return open_storage(f"sqlite:///{tmp_path}/local.db")


def told(study: Study, metrics: Any, **also: Any) -> tuple[str, str]:
    """Return the state and reason of a new trial that was told `metrics`."""
    (trial,) = study.ask(1)
    assert study.tell(trial, metrics, **also)
    table = study.trials(numbers=[trial.number])
    return str(table.states[0]), str(table.reasons[0])


def test_a_study_runs_to_its_budget_and_can_be_read(storage: Storage) -> None:
    with make_study(storage) as study:
        drive(study, batch=3)
    view = Study.open(storage, "s")
    table = view.trials()
    assert (view.state, view.reason) == ("ended", "budget reached")
    assert table.numbers.tolist() == list(range(10))
    assert set(table.states) == {"COMPLETED"}
    assert table.metrics["accuracy"].tolist() == [float(w % 5 + d) for _, w, d in table.genotypes.tolist()]
    assert (table.genotypes.dtype, table.attempts.tolist()) == (np.uint8, [1] * 10)
    assert np.isfinite(table.finished_at).all()


def test_the_front_is_that_of_the_trials(storage: Storage) -> None:
    with make_study(storage, max_trials=60) as study:
        drive(study, batch=7)
        table, front = study.trials(), study.front()
    better = [
        any(
            (a >= b_a and t <= b_t and (a, t) != (b_a, b_t))
            for a, t in zip(table.metrics["accuracy"], table.metrics["latency_ms"], strict=True)
        )
        for b_a, b_t in zip(table.metrics["accuracy"], table.metrics["latency_ms"], strict=True)
    ]
    assert front.numbers.tolist() == np.flatnonzero(~np.array(better)).tolist()


def test_the_best_trial_is_the_earliest_of_equals(storage: Storage) -> None:
    with make_study(storage, max_trials=40) as study:
        drive(study)
        table, best = study.trials(), study.best("latency_ms")
    assert best.numbers.tolist() == [int(table.metrics["latency_ms"].argmin())]
    with pytest.raises(ValueError, match="'speed' is not an objective of 's': expected accuracy or latency_ms"):
        study.best("speed")


def test_a_study_without_trials_reads_as_empty(storage: Storage) -> None:
    with make_study(storage) as study:
        assert len(study.trials()) == len(study.front()) == len(study.best()) == len(study.to_pandas()) == 0
        assert study.trials().genotypes.shape == (0, 3)


def test_a_larger_budget_extends_and_a_smaller_one_ends(local: Storage) -> None:
    for budget, total in ((4, 4), (7, 7), (5, 7)):
        with make_study(local, max_trials=budget) as study:
            drive(study)
            assert len(study.trials()) == total
            assert study.max_trials == budget


def test_the_space_may_be_used_up_before_the_budget(local: Storage) -> None:
    with make_study(local, max_trials=500) as study:
        assert (len(study.ask(300)), study.exhausted, study.ask(1)) == (192, True, [])


def test_unfinished_trials_come_first_and_count_an_attempt(storage: Storage) -> None:
    with make_study(storage) as study:
        first = study.ask(3)
        study.tell(first[1], GOOD)
    with make_study(storage) as study:
        again = study.ask(3)
        assert [(trial.number, trial.attempt) for trial in again] == [(0, 2), (2, 2), (3, 1)]
        assert again[0].genotype.tolist() == first[0].genotype.tolist()
        assert again[0].seed == first[0].seed == trial_seed(0, 0)


def test_a_result_is_accepted_once_and_from_the_current_attempt(storage: Storage) -> None:
    with make_study(storage) as study:
        (old,) = study.ask(1)
        assert study.requeue(old, "its worker died")
        (new,) = study.ask(1)
        assert [study.tell(old, GOOD), study.tell(new, GOOD), study.tell(new, GOOD)] == [False, True, False]
        assert study.tell_many([(new, GOOD)]) == [False]


def test_a_trial_that_loses_its_worker_too_often_has_failed(storage: Storage) -> None:
    with make_study(storage, retries=1) as study:
        (trial,) = study.ask(1)
        assert study.requeue(trial, "worker died")
        (trial,) = study.ask(1)
        assert not study.requeue(trial, "worker died")
        assert study.trials().reasons.tolist() == ["worker died (the worker was lost 2 times)"]
        assert study.counts()[TrialState.FAILED] == 1


def test_putting_back_counts_no_loss(storage: Storage) -> None:
    with make_study(storage, retries=0) as study:
        for attempt in (1, 2, 3):
            (trial,) = study.ask(1)
            assert (trial.number, trial.attempt) == (0, attempt)
            study.put_back([trial], "interrupted")
        assert study.counts()[TrialState.PENDING] == 1


def test_finishing_puts_running_trials_back(storage: Storage) -> None:
    with make_study(storage) as study:
        study.ask(2)
        study.finish("interrupted")
        assert study.trials().states.tolist() == ["PENDING", "PENDING"]
        assert (study.state, study.reason) == ("ended", "interrupted")


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"accuracy": math.nan, "latency_ms": 1.0}, "metric 'accuracy' is nan: expected a finite number"),
        ({"accuracy": math.inf, "latency_ms": 1.0}, "metric 'accuracy' is inf: expected a finite number"),
        ({"accuracy": 10**400, "latency_ms": 1.0}, "metric 'accuracy' is int: expected a finite number"),
        ({"accuracy": True, "latency_ms": 1.0}, "metric 'accuracy' is True: expected a number"),
        ({"accuracy": "70", "latency_ms": 1.0}, "metric 'accuracy' is a str: expected a number"),
        ({"accuracy": 1j, "latency_ms": 1.0}, "metric 'accuracy' is 1j: expected a number"),
        ({"accuracy": None, "latency_ms": 1.0}, "metric 'accuracy' is None: expected a number"),
        ({"accuracy": np.ones(1), "latency_ms": 1.0}, "metric 'accuracy' is a ndarray: expected a number"),
        ({"latency_ms": 1.0}, "objective 'accuracy' is missing: the evaluator and the hardware models gave latency_ms"),
        ([1.0], "the evaluator gave a list: expected a mapping of metric names to numbers"),
    ],
)
def test_what_is_no_result_fails_and_the_study_goes_on(local: Storage, metrics: Any, reason: str) -> None:
    with make_study(local) as study:
        assert told(study, metrics) == ("FAILED", reason)
        assert told(study, GOOD) == ("COMPLETED", "")
        assert study.front().numbers.tolist() == [1]


@pytest.mark.parametrize("value", [3, np.int64(3), np.float32(3.0), np.uint8(3)])
def test_any_real_number_is_a_metric(local: Storage, value: Any) -> None:
    with make_study(local) as study:
        assert told(study, {"accuracy": value, "latency_ms": 1.0})[0] == "COMPLETED"
        assert study.trials().metrics["accuracy"].tolist() == [3.0]


def test_a_broken_constraint_makes_a_trial_infeasible(storage: Storage) -> None:
    with make_study(storage, constraints=["latency_ms <= 2"]) as study:
        assert told(study, {"accuracy": 9.0, "latency_ms": 2.5}) == (
            "INFEASIBLE", "latency_ms is 2.5: expected latency_ms <= 2.0")  # fmt: skip
        assert told(study, {"accuracy": 1.0, "latency_ms": 2.0}) == ("COMPLETED", "")
        assert study.front().numbers.tolist() == [1]


def test_a_constrained_metric_that_is_missing_fails(local: Storage) -> None:
    with make_study(local, constraints=["energy_mj <= 2"]) as study:
        assert told(study, GOOD)[1].startswith("constraint 'energy_mj' is missing")


def test_a_report_that_breaks_an_upper_bound_ends_the_trial(storage: Storage) -> None:
    with make_study(storage, constraints=["latency_ms <= 2", "accuracy >= 50"]) as study:
        (trial,) = study.ask(1)
        assert not study.report(trial, {"accuracy": 10.0}, 0)
        assert study.report(trial, {"latency_ms": 3.0}, 1)
        study.tell(trial, {}, state=TrialState.STOPPED, reason="stopped")
        table = study.trials()
        assert (table.states[0], table.reasons[0]) == ("INFEASIBLE", "latency_ms is 3: expected latency_ms <= 2.0")
        assert [item[:3] for item in study.measurements(0)] == [(0, "accuracy", 10.0), (1, "latency_ms", 3.0)]


def test_a_report_that_is_not_finite_fails_the_trial(local: Storage) -> None:
    with make_study(local) as study:
        (trial,) = study.ask(1)
        assert study.report(trial, {"accuracy": math.nan}, 0)
        study.tell(trial, GOOD)
        assert study.trials().reasons[0] == "metric 'accuracy' is nan: expected a finite number"


def test_reported_metrics_outlive_the_driver(storage: Storage) -> None:
    with make_study(storage) as study:
        (trial,) = study.ask(1)
        study.report(trial, {"latency_ms": 3.0, "accuracy": 1.0}, 0)
        study.report(trial, {"accuracy": 2.0}, 1)
    with make_study(storage) as study:
        (trial,) = study.ask(1)
        study.report(trial, {"accuracy": 2.5}, 1)
        study.tell(trial, {})
        assert {name: values.tolist() for name, values in study.trials().metrics.items()} == {
            "accuracy": [2.5], "latency_ms": [3.0]}  # fmt: skip


def test_a_skipped_trial_is_stopped(local: Storage) -> None:
    with make_study(local) as study:
        (trial,) = study.ask(1)
        assert study.skip(trial, "not needed")
        assert study.trials().states.tolist() == ["STOPPED"]


def test_changes_since_a_number_are_the_trials_that_changed(storage: Storage) -> None:
    with make_study(storage) as study:
        trials = study.ask(3)
        seen = study.change_seq
        assert len(study.trials(changed_since=seen)) == 0
        study.tell(trials[1], GOOD)
        changed = study.trials(changed_since=seen)
        assert (changed.numbers.tolist(), changed.metrics["accuracy"].tolist()) == ([1], [1.0])


def test_counts_are_kept_with_the_trials(storage: Storage) -> None:
    with make_study(storage) as study:
        trials = study.ask(4)
        study.tell_many([(trials[0], GOOD), (trials[1], {}, TrialState.FAILED, "no memory", 2.5, "node-1")])
        expected = {"PENDING": 0, "RUNNING": 2, "COMPLETED": 1, "INFEASIBLE": 0, "STOPPED": 0, "FAILED": 1}
        assert study.counts() == Study.open(storage, "s").counts() == expected
        failed = study.trials(states=["FAILED"])
        assert (failed.reasons[0], failed.elapsed_s[0], failed.workers[0]) == ("no memory", 2.5, "node-1")


def test_the_algorithm_and_the_seed_decide_the_trials(local: Storage) -> None:
    def run(name: str, seed: int) -> list[Any]:
        with make_study(local, name, algorithm=RegularizedEvolution(20, 5), max_trials=60, seed=seed) as study:
            drive(study)
            return rows(study)

    assert run("a", 1) == run("b", 1) != run("c", 2)


@pytest.mark.parametrize("stops", [[1], [30], [7, 40, 59]])
def test_a_study_that_is_closed_goes_on_as_if_it_had_not_been(storage: Storage, stops: list[int]) -> None:
    def study(name: str) -> Study:
        return make_study(storage, name, algorithm=RegularizedEvolution(20, 5), max_trials=60)

    with study("whole") as whole:
        drive(whole)
    for stop in stops:
        with study("parts") as parts:
            while len(parts.trials()) < stop and (trials := parts.ask(1)):
                parts.tell(trials[0], evaluate(trials[0]))
            parts.ask(1)
    with study("parts") as parts:
        drive(parts)
        assert rows(parts) == rows(whole)


def test_another_algorithm_goes_on_from_the_trials(local: Storage) -> None:
    with make_study(local, max_trials=20) as study:
        drive(study)
    with make_study(local, algorithm=RegularizedEvolution(10, 3), max_trials=40) as study:
        drive(study)
        genotypes = study.trials().genotypes.tolist()
        assert len({tuple(genotype) for genotype in genotypes}) == 40
        assert study.algorithm_settings == {"name": "regularized_evolution", "population": 10, "tournament": 3}


def test_a_changed_space_is_refused(local: Storage) -> None:
    make_study(local).close()
    other = GenotypeSpace(pg.Dict(kernel=pg.oneof([3, 5])))
    with pytest.raises(SpaceChanged, match=r"study 's' is stored with another space \(.{12}, 3 decisions\)"):
        make_study(local, space=other)


@pytest.mark.parametrize("change", [{"seed": 1}, {"objectives": {"accuracy": "maximize"}}, {"constraints": ["x <= 1"]}])
def test_what_a_study_is_about_cannot_change(local: Storage, change: dict[str, Any]) -> None:
    make_study(local).close()
    with pytest.raises(StudyChanged, match="use another study name"):
        make_study(local, **change)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "x" * 129, "a\n", "'; DROP TABLE studies; --", "né"])
def test_odd_names_are_refused(local: Storage, name: str) -> None:
    with pytest.raises(ValueError, match=r"study name .* is not usable"):
        make_study(local, name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_trials": 0}, "max_trials is 0: expected an integer from 1"),
        ({"max_trials": -3}, "max_trials is -3"),
        ({"max_trials": 2.5}, "max_trials is 2.5"),
        ({"seed": -1}, "seed is -1: expected an integer from 0"),
        ({"retries": -1}, "retries is -1"),
        ({"settings": {"a": object()}}, "settings cannot be kept as JSON"),
        ({"settings": {"a": math.nan}}, "settings cannot be kept as JSON"),
    ],
)
def test_arguments_out_of_bounds_are_refused_and_nothing_is_made(
    local: Storage, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_study(local, **change)
    assert local.studies() == []


def test_asking_for_less_than_one_is_refused(local: Storage) -> None:
    with make_study(local) as study, pytest.raises(ValueError, match="n of at least 1, got 0"):
        study.ask(0)


def test_settings_are_added_to(local: Storage) -> None:
    make_study(local, settings={"a": 1, "b": [1.5, None]}).close()
    make_study(local, settings={"a": 2}).close()
    assert Study.open(local, "s").settings == {"a": 2, "b": [1.5, None]}


def test_an_unknown_study_is_named_with_those_that_there_are(local: Storage) -> None:
    make_study(local, "one").close()
    with pytest.raises(StudyNotFound, match=r"there is no study 'two' in sqlite.*; stored are: one"):
        Study.open(local, "two")


def test_a_driver_hears_what_is_asked_of_it(storage: Storage) -> None:
    with make_study(storage) as study:
        storage.request("s", "pause")
        assert study.requested() == "pause"
    with make_study(storage) as study:
        assert study.requested() is None


def test_a_study_cannot_go_on_after_an_error(local: Storage) -> None:
    class Broken(Random):
        def learn(self, results: Any) -> None:
            raise ZeroDivisionError("no population")

    with make_study(local, algorithm=Broken()) as study:
        (trial,) = study.ask(1)
        with pytest.raises(ZeroDivisionError, match="no population"):
            study.tell(trial, GOOD)
        with pytest.raises(RuntimeError, match="open it again to go on"):
            study.ask(1)
    assert Study.open(local, "s").counts()[TrialState.RUNNING] == 1


def test_an_algorithms_state_that_is_none_of_its_own_is_told(local: Storage) -> None:
    with make_study(local) as study:
        study.ask(1)
    with local.database.engine.begin() as connection:
        connection.exec_driver_sql(
            'UPDATE progress SET algorithm_state = \'{"random": {"bit_generator": "os.system"}}\''
        )
    with pytest.raises(StorageCorrupt, match="the stored state of study 's' is not one of algorithm 'random'"):
        make_study(local)
    with pytest.raises(StorageCorrupt, match="the stored state of study 's'"):  # and not locked
        make_study(local)


def test_the_data_frame_shows_decisions_by_their_labels(local: Storage) -> None:
    space = GenotypeSpace(
        pg.Dict(op=pg.oneof(["conv", pg.Dict(rate=pg.floatv(0.0, 1.0))]), accuracy=pg.oneof(["lo", "hi"]))
    )
    with make_study(local, space=space, max_trials=30) as study:
        for trial in study.ask(30):
            study.tell(trial, GOOD)
        frame = study.to_pandas()
    assert list(frame.columns[:4]) == ["number", "state", "accuracy", "latency_ms"]
    assert set(frame["decision.accuracy"]) == {"'lo'", "'hi'"}
    conv = frame["op"] == "'conv'"
    rate = next(name for name in frame.columns if name.endswith("rate"))
    assert (frame.loc[conv, rate].isna().all(), frame.loc[~conv, rate].between(0, 1).all()) == (True, True)


def test_seeds_differ_between_trials_and_between_studies() -> None:
    assert len({trial_seed(seed, number) for seed in range(10) for number in range(1000)}) == 10_000
    assert trial_seed(0, 0) == 1222067678


def test_the_space_is_described_for_viewers(local: Storage) -> None:
    make_study(local).close()
    columns = Study.open(local, "s").space["columns"]
    assert [(column["name"], column["choices"][0]) for column in columns] == [
        ("kernel", "3"),
        ("width", "0"),
        ("depth", "1"),
    ]
    assert Study.open(local, "s").fingerprint == SPACE.fingerprint
