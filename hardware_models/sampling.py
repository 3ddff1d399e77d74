"""Timed calls in shuffled rounds: the raw samples that estimates are made of.

Everything that will be compared is visited in each round, in a new random order, so that a slow spell of the machine
hits no candidate more than another. A visit is one warm-up and three timed samples. A single thread is timed by its
CPU clock, which stands still while another process has the core; several threads can only be timed by the wall clock,
where the samples that were interrupted are thrown away.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

SAMPLES_A_VISIT = 3
SHORTEST_SAMPLE_MS = 0.1
"""A sample shorter than this is made of several calls: reading the CPU clock alone takes about a microsecond."""

Progress = Callable[[int, int], None]
"""Told the visits done and the visits there are; the first reaches the second at the end, also when it ends early."""


class TooNoisyError(RuntimeError):
    """Raised when too few undisturbed samples are left; the message says of what, and what to do."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Something to time: a name for messages, a call that does it `runs` times, and the visits to it in a round."""

    name: str
    call: Callable[[], object]
    runs: int = 1
    visits: int = 1


@dataclass
class Visits:
    """The samples of all visits so far, in the order in which they were taken.

    Attributes:
      workloads: which workload each visit was to, as an index; (v,) entries.
      rounds: which round each visit belongs to; (v,) entries.
      samples_ms: the accepted samples of each visit, none where all were interrupted; (v,) lists.
      wall_ms, cpu_ms: the time that all samples took together, by either clock.
      involuntary_switches: how often the scheduler took the core away while a sample was taken.
    """

    workloads: list[int] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    samples_ms: list[list[float]] = field(default_factory=list)
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    involuntary_switches: int = 0

    def of(self, workload: int) -> np.ndarray:
        """Return all accepted samples of one workload in ms, oldest first."""
        chosen = (self.samples_ms[visit] for visit, which in enumerate(self.workloads) if which == workload)
        return np.array([sample for samples in chosen for sample in samples])


def visit_in_rounds(
    workloads: Sequence[Workload], rounds: int, threads: int, rng: np.random.Generator, progress: Progress | None = None
) -> Iterator[Visits]:
    """Yield the visits after each round, one growing record; the consumer may stop early.

    The garbage collector rests between the first round and the last. `progress` hears of each visit.
    """
    visits = Visits()
    order = [index for index, workload in enumerate(workloads) for _ in range(workload.visits)]
    total = rounds * len(order)
    with _no_garbage_collection():
        repeats = [_repeats(workload.call) for workload in workloads]
        for number in range(rounds):
            for index in rng.permutation(order):
                samples = _visit(visits, workloads[index], repeats[index], threads)
                visits.workloads.append(int(index))
                visits.rounds.append(number)
                visits.samples_ms.append(samples)
                if progress is not None:
                    progress(len(visits.rounds), total)
            yield visits


def _visit(visits: Visits, workload: Workload, repeats: int, threads: int) -> list[float]:
    """Return the accepted samples of one visit in ms; `visits` is told of the clocks and of interruptions alone."""
    workload.call()
    samples = (_sample(visits, workload.call, repeats, threads) for _ in range(SAMPLES_A_VISIT))
    return [sample / workload.runs for sample in samples if sample is not None]


def _sample(visits: Visits, call: Callable[[], object], repeats: int, threads: int) -> float | None:
    """Return the time of one call in ms; None where several threads ran and one of them was interrupted."""
    switches = _involuntary_switches(threads)
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    for _ in range(repeats):
        call()
    cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
    interrupted = _involuntary_switches(threads) - switches
    visits.wall_ms += wall / 1e6
    visits.cpu_ms += cpu / 1e6
    visits.involuntary_switches += interrupted
    if threads == 1:
        return cpu / repeats / 1e6
    return None if interrupted else wall / repeats / 1e6


def _repeats(call: Callable[[], object]) -> int:
    """Return how many calls make a sample; the calls made to find out also warm caches and allocators up."""
    call()
    fastest_ms = min(_once_ms(call) for _ in range(3))
    return max(1, int(np.ceil(SHORTEST_SAMPLE_MS / max(fastest_ms, 1e-4))))


def _once_ms(call: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / 1e6


def _involuntary_switches(threads: int) -> int:
    """Return the count of this thread, or of the whole process where several threads compute or Linux is not there."""
    alone = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
    return resource.getrusage(alone if threads == 1 else resource.RUSAGE_SELF).ru_nivcsw


def load_average() -> float:
    """Return the mean number of runnable processes in the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
