"""Supernets trained by several processes: steps a second with one worker and with two, each with a thread of its own.

    python benchmarks/several_workers.py [--rounds 5] [--batch 64]

A sandwich step (largest, smallest, two random) of the small ElasticViT space on images of 32x32, the same batch shared
by all workers. Wall-clock time, which others on the machine disturb, since a step takes as long as its slowest worker;
and the first worker's CPU time, which leaves out waiting, so that its ratio is the most that idle cores could give.
Runs of one and of two workers take turns, each gives the median of its steps, and the table the median and the range of
the runs; the load is what the machine had before. Twice the steps would be perfect; no goal is set. Some four minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evaluators._base import Member
from evaluators._group import joined
from evaluators._preparation import Job, Progress
from evaluators._reproducible import reproducible
from evaluators.datasets import EnlargedDigits, Part
from evaluators.nested_supernet import NestedSupernet, _Run
from evaluators.samplers._base import Subnet
from search.launchers.preparing import steps_of
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace

WARM, TIMED = 2, 9
"""Steps of a run that are not timed, and that are."""


@dataclass(frozen=True)
class Steps:
    """Some steps of a training, by `workers` processes; it measures their median wall-clock and CPU seconds."""

    folder: str
    workers: int
    batch: int

    def __call__(self, member: Member | None = None) -> Iterator[Progress]:
        """Train and measure."""
        space, rng = GenotypeSpace(elasticvit("small")), np.random.default_rng(0)
        seconds: list[tuple[float, float]] = []
        settings = NestedSupernet(dataset=EnlargedDigits(4), batch=self.batch, workers=self.workers)
        with joined(member, self.workers, "cpu") as group, reproducible("cpu", 1, 0):
            run = _Run(settings, Job(space, Path(self.folder)), "cpu", group)
            batch = Part(run.data.train.inputs(slice(self.batch)), run.data.train.labels[: self.batch])
            for _ in range(WARM + TIMED):
                taught = [run.nets.smallest, run.nets.random(rng), run.nets.random(rng)]
                drawn = [Subnet(run.nets.largest, "largest"), *(Subnet(row, "other", (0,), 0.0) for row in taught)]
                began = time.perf_counter(), time.process_time()
                run._step(drawn, group.part(batch))
                seconds.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        wall, cpu = zip(*seconds[WARM:], strict=True)
        yield Progress(1.0, {"step_s": median(wall), "cpu_s": median(cpu)})


def step_of(workers: int, batch: int) -> tuple[float, float]:
    """Return the wall-clock and the CPU seconds of a step."""
    with tempfile.TemporaryDirectory() as folder:
        (measured,) = steps_of(Steps(folder, workers, batch))
    assert measured is not None
    return measured[1]["step_s"], measured[1]["cpu_s"]


def shown(values: np.ndarray, digits: int = 2) -> str:
    """Return the median and the range of what the runs gave."""
    return f"{np.median(values):.{digits}f} ({values.min():.{digits}f}-{values.max():.{digits}f})"


def main() -> int:
    """Print the table; return 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each")
    parser.add_argument("--batch", type=int, default=64, help="images a step, of all workers together")
    given = parser.parse_args()
    load = os.getloadavg()[1]
    found = np.array([(step_of(1, given.batch), step_of(2, given.batch)) for _ in range(given.rounds)])
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {load:.1f}, {given.batch} images of 32x32 a step")
    for workers, (wall, cpu) in enumerate(np.moveaxis(found, 0, 2), 1):
        print(f"{workers} worker(s): {shown(1 / wall)} steps a second, {shown(cpu, 3)} CPU s a step of the first")
    wall, cpu = (found[:, 0] / found[:, 1]).T
    print(f"two by one, run by run: {shown(wall)} times the steps a second; by CPU time {shown(cpu)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
