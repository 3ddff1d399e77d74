"""What samples are timed by: a thread's CPU clock, or the wall clock where several threads compute."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Sample(NamedTuple):
    """One timed sample of several calls.

    Attributes:
      elapsed_ms: of one call; None where the sample was disturbed and says nothing.
      wall_ms, cpu_ms: of all its calls, by either clock.
      switches: how often the scheduler took the core away.
    """

    elapsed_ms: float | None
    wall_ms: float
    cpu_ms: float
    switches: int


class Clock(Protocol):
    """Times calls.

    Attributes:
      name: as in a table's provenance: `cpu`, `wall`, `cuda`.
      shortest_ms: a sample that would be shorter is made of several calls.
    """

    @property
    def name(self) -> str:
        """What the clock is called in a table's provenance."""

    @property
    def shortest_ms(self) -> float:
        """Below this the clock is too coarse, or reading it too slow."""

    def sample(self, call: Callable[[], object], repeats: int) -> Sample:
        """Return the time of so many calls, all of whose work is done when it returns."""


class ThreadClock:
    """The CPU time of the calling thread: it stands still while another process has the core."""

    name = "cpu"
    shortest_ms = 0.1  # reading this clock takes about a microsecond

    def sample(self, call: Callable[[], object], repeats: int) -> Sample:
        """Return the CPU time of the calls, however often the thread was interrupted."""
        wall_ms, cpu_ms, switches = _spent(call, repeats, getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
        return Sample(cpu_ms / repeats, wall_ms, cpu_ms, switches)


class WallClock:
    """The time that passes, for several threads at once: a sample during which any was interrupted is disturbed."""

    name = "wall"
    shortest_ms = 0.1

    def sample(self, call: Callable[[], object], repeats: int) -> Sample:
        """Return the time that the calls took; None for it where the scheduler took a core away meanwhile."""
        wall_ms, cpu_ms, switches = _spent(call, repeats, resource.RUSAGE_SELF)
        return Sample(None if switches else wall_ms / repeats, wall_ms, cpu_ms, switches)


def cpu_clock(threads: int) -> Clock:
    """Return the clock for an engine that computes with so many threads of the CPU."""
    return ThreadClock() if threads == 1 else WallClock()


def _spent(call: Callable[[], object], repeats: int, whose: int) -> tuple[float, float, int]:
    """Return the wall time, the calling thread's CPU time (both ms) and the involuntary switches of the calls."""
    switches = involuntary_switches(whose)
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    for _ in range(repeats):
        call()
    cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
    return wall / 1e6, cpu / 1e6, involuntary_switches(whose) - switches


def involuntary_switches(whose: int) -> int:
    """Return how often the scheduler took the core away from this thread or this process since it began."""
    return resource.getrusage(whose).ru_nivcsw
