"""Clocks: a thread's CPU time and the time that passes."""

from __future__ import annotations

import time

import pytest

from hardware_models import clocks
from hardware_models.clocks import ThreadClock, WallClock, cpu_clock


def nap() -> None:
    time.sleep(0.02)


def test_sleeping_costs_no_cpu_time():
    sample = ThreadClock().sample(nap, 2)
    assert sample.elapsed_ms is not None
    assert sample.elapsed_ms < 10
    assert sample.wall_ms >= 40


def test_the_wall_clock_tells_the_time_of_one_call():
    samples = [WallClock().sample(nap, 2) for _ in range(10)]
    undisturbed = [sample.elapsed_ms for sample in samples if sample.elapsed_ms is not None]
    assert min(undisturbed) >= 20
    assert min(sample.wall_ms for sample in samples) >= 40


def test_an_interruption_spoils_wall_time_but_not_cpu_time(monkeypatch: pytest.MonkeyPatch):
    count = iter(range(10))
    monkeypatch.setattr(clocks, "involuntary_switches", lambda whose: next(count))
    assert WallClock().sample(nap, 1).elapsed_ms is None
    assert ThreadClock().sample(nap, 1).elapsed_ms is not None


@pytest.mark.parametrize(("threads", "name"), [(1, "cpu"), (2, "wall")])
def test_one_thread_is_timed_by_its_own_clock(threads: int, name: str):
    assert cpu_clock(threads).name == name
