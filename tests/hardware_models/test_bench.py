"""A bench: copies of operators, wall time for several threads, and loud failure on a noisy machine."""

from __future__ import annotations

import time

import pytest

from hardware_models import sampling
from hardware_models.bench import MOST_COPIES, Bench
from hardware_models.op import conv2d, elementwise
from hardware_models.sampling import TooNoisyError, Workload

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
    monkeypatch.setattr(sampling, "_involuntary_switches", lambda threads: next(count))
    with pytest.raises(TooNoisyError, match="only 0 of 24 samples of a nap were not interrupted; close other programs"):
        Bench("torch", 2, 1, 0).time([lambda: SLEEP], 8)


def test_interruptions_do_not_stop_a_single_thread(monkeypatch: pytest.MonkeyPatch):
    count = iter(range(10**6))
    monkeypatch.setattr(sampling, "_involuntary_switches", lambda threads: next(count))
    (measured,), visits = Bench("torch", 1, 1, 0).time([lambda: SLEEP], 2)
    assert measured.samples == visits.involuntary_switches == 6
