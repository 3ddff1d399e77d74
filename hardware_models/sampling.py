"""Timed calls in shuffled rounds: the raw samples that estimates are made of.

Everything that will be compared is visited in each round, in a new random order, so that a slow spell of the machine
hits no candidate more than another. A visit is one warm-up and two timed samples. What is known well enough is left
out of further rounds.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from hardware_models.clocks import Clock

SAMPLES_A_VISIT = 2

Progress = Callable[[int, int], None]
"""Told the steps done and the steps there are; the first reaches the second at the end, also when it ends early."""


class TooNoisyError(RuntimeError):
    """Raised when too few undisturbed samples are left; the message says of what, and what to do."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Something to time: a name for messages, a call that does it `runs` times, and the visits to it in a round.

    `before` is called before each sample, `at_first` before the warm-up; neither is timed.
    """

    name: str
    call: Callable[[], object]
    runs: int = 1
    visits: int = 1
    before: Callable[[], object] | None = None
    at_first: Callable[[], object] | None = None


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
    workloads: Sequence[Workload],
    rounds: int,
    clock: Clock,
    rng: np.random.Generator,
    *,
    progress: Progress | None = None,
    settled: Collection[int] = (),
) -> Iterator[Visits]:
    """Yield the visits after each round, one growing record; the consumer may stop early.

    `settled` is looked at before each round: the workloads of these indices are left out of it, and when all are, the
    rounds end. The garbage collector rests between the first round and the last. `progress` hears of each visit.
    """
    visits = Visits()
    order = [index for index, workload in enumerate(workloads) for _ in range(workload.visits)]
    total = rounds * len(order)
    with _no_garbage_collection():
        repeats = [_repeats(workload.call, clock) for workload in workloads]
        for number in range(rounds):
            left = [index for index in order if index not in settled]
            if not left:
                return
            done = (number + 1) * len(order) - len(left)
            for seen, index in enumerate(rng.permutation(left), 1):
                visits.samples_ms.append(_visit(visits, workloads[index], repeats[index], clock))
                visits.workloads.append(int(index))
                visits.rounds.append(number)
                if progress is not None:
                    progress(done + seen, total)
            yield visits


def _visit(visits: Visits, workload: Workload, repeats: int, clock: Clock) -> list[float]:
    """Return the accepted samples of one visit in ms; `visits` is told of the clocks and of interruptions alone."""
    if workload.at_first is not None:
        workload.at_first()
    workload.call()
    accepted = []
    for _ in range(SAMPLES_A_VISIT):
        if workload.before is not None:
            workload.before()
        sample = clock.sample(workload.call, repeats)
        visits.wall_ms += sample.wall_ms
        visits.cpu_ms += sample.cpu_ms
        visits.involuntary_switches += sample.switches
        if sample.elapsed_ms is not None:
            accepted.append(sample.elapsed_ms / workload.runs)
    return accepted


def _repeats(call: Callable[[], object], clock: Clock) -> int:
    """Return how many calls make a sample; the calls made to find out also warm caches and allocators up."""
    call()
    fastest_ms = min(clock.sample(call, 1).wall_ms for _ in range(3))
    return max(1, int(np.ceil(clock.shortest_ms / max(fastest_ms, 1e-4))))


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
