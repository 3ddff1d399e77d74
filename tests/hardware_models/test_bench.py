"""A bench: copies of operators, wall time for several threads, and loud failure on a noisy machine."""

from __future__ import annotations

import time

import pytest

from hardware_models import clocks
from hardware_models.bench import MOST_COPIES, Bench, _settled
from hardware_models.op import conv2d, elementwise
from hardware_models.sampling import TooNoisyError, Visits, Workload

SLEEP = Workload("a nap", lambda: time.sleep(0.001))


def test_small_operators_run_in_many_copies_and_large_ones_alone():
    bench = Bench("torch", 1, 1, 0)
    assert bench.operator(conv2d((8, 8, 8), 8, 3)).runs == MOST_COPIES
    assert bench.operator(elementwise("relu", (64, 256, 256))).runs == 1


def test_two_threads_are_timed_by_the_wall():
    (measured,), visits = Bench("torch", 2, 1, 0).time([lambda: SLEEP], 8)
    assert measured.minimum_ms >= 1.0
    assert visits.wall_ms > visits.cpu_ms


def test_too_many_interruptions_fail_loudly(monkeypatch: pytest.MonkeyPatch):
    count = iter(range(10**6))
    monkeypatch.setattr(clocks, "involuntary_switches", lambda whose: next(count))
    with pytest.raises(TooNoisyError, match="only 0 of 16 samples of a nap were not interrupted; close other programs"):
        Bench("torch", 2, 1, 0).time([lambda: SLEEP], 8)


def test_interruptions_do_not_stop_a_single_thread(monkeypatch: pytest.MonkeyPatch):
    count = iter(range(10**6))
    monkeypatch.setattr(clocks, "involuntary_switches", lambda whose: next(count))
    (measured,), visits = Bench("torch", 1, 1, 0).time([lambda: SLEEP], 2)
    assert measured.samples == visits.involuntary_switches == 4


def test_what_agrees_with_itself_is_visited_no_more():
    visits = Visits([0, 1] * 8, sorted([*range(8)] * 2), [[1.0], [1.0], [1.0], [1.2]] * 4)
    assert _settled(visits, 2) == [0]


def test_agreement_of_few_visits_is_chance():
    assert _settled(Visits([0] * 6, [*range(6)], [[1.0]] * 6), 1) == []


def test_no_more_is_swept_than_a_network_moves():
    op = conv2d((8, 8, 8), 8, 3)
    assert Bench("torch", 1, 1, 0).operator(op).before is None
    swept = Bench("torch", 1, 2, 0, moved_bytes=2**20).operator(op).before
    assert swept is not None
    assert swept().nbytes == 2**21


def test_weights_beyond_the_nearer_caches_sweep_the_far_one():
    op = conv2d((8, 8, 8), 8, 3)
    assert Bench("torch", 1, 1, 0, weight_bytes=2**22).operator(op).before is None
    swept = Bench("torch", 1, 1, 0, weight_bytes=2**24).operator(op).before
    assert swept is not None
    assert swept().nbytes == 2**24
