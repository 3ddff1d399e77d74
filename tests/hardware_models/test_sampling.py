"""Timed calls in shuffled rounds."""

from __future__ import annotations

import gc

import numpy as np

from hardware_models.clocks import ThreadClock
from hardware_models.sampling import SAMPLES_A_VISIT, Visits, Workload, visit_in_rounds


def spin(count: int) -> Workload:
    """Return a workload that adds up to `count`."""
    return Workload(f"spin {count}", lambda: sum(range(count)))


def last(workloads: list[Workload], rounds: int, **settings: object) -> Visits:
    """Return the visits after all rounds."""
    *_, visits = visit_in_rounds(workloads, rounds, ThreadClock(), np.random.default_rng(0), **settings)  # type: ignore[arg-type]
    return visits


def test_every_workload_is_visited_once_a_round():
    visits = last([spin(10), spin(20), spin(30)], 4)
    assert [sorted(visits.workloads[start : start + 3]) for start in range(0, 12, 3)] == [[0, 1, 2]] * 4
    assert visits.rounds == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_a_workload_may_be_visited_more_often():
    visits = last([Workload("often", lambda: None, visits=3), spin(20)], 2)
    assert sorted(visits.workloads[:4]) == sorted(visits.workloads[4:]) == [0, 0, 0, 1]


def test_the_order_changes_from_round_to_round():
    visits = last([spin(10)] * 8, 4)
    assert len({tuple(visits.workloads[start : start + 8]) for start in range(0, 32, 8)}) > 1


def test_a_single_thread_keeps_all_samples():
    visits = last([spin(10), spin(20)], 3)
    assert [len(visits.of(index)) for index in (0, 1)] == [3 * SAMPLES_A_VISIT] * 2


def test_samples_are_milliseconds_of_one_call():
    visits = last([spin(20_000), spin(200_000)], 5)
    ratio = np.median(visits.of(1)) / np.median(visits.of(0))
    assert 5 < ratio < 20
    assert 0.01 < np.median(visits.of(0)) < 20


def test_a_settled_workload_is_left_out():
    settled: set[int] = set()
    rounds = visit_in_rounds([spin(10), spin(20)], 4, ThreadClock(), np.random.default_rng(0), settled=settled)
    next(rounds)
    settled.add(0)
    assert [visits.workloads[2:] for visits in rounds][-1] == [1, 1, 1]


def test_rounds_end_when_all_are_settled():
    settled: set[int] = set()
    rounds = visit_in_rounds([spin(10)], 4, ThreadClock(), np.random.default_rng(0), settled=settled)
    next(rounds)
    settled.add(0)
    assert list(rounds) == []


def test_the_garbage_collector_rests_and_comes_back():
    seen: list[bool] = []
    last([Workload("look", lambda: seen.append(gc.isenabled()))], 2)
    assert set(seen) == {False}
    assert gc.isenabled()


def test_progress_hears_of_each_visit():
    heard: list[tuple[int, int]] = []
    last([spin(10), spin(20)], 2, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_consumer_may_stop_early():
    rounds = visit_in_rounds([spin(10)], 100, ThreadClock(), np.random.default_rng(0))
    assert next(rounds).rounds == [0]
    rounds.close()
    assert gc.isenabled()


def test_something_may_be_done_before_each_sample():
    log: list[str] = []
    call, before = (lambda: log.append("call")), (lambda: log.append("sweep"))
    list(visit_in_rounds([Workload("one", call, before=before)], 1, Every(), np.random.default_rng(0)))
    assert log[-5:] == ["call", "sweep", "call", "sweep", "call"]


class Every(ThreadClock):
    """A clock for which no sample is too short."""

    shortest_ms = 0.0
