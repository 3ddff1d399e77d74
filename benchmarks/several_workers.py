"""Supernets trained by several processes: steps a second with one worker and with two, each with a thread of its own.

    python benchmarks/several_workers.py [--rounds 5] [--batch 64]

A sandwich step (largest, smallest, two random) of the small ElasticViT space on images of 32x32, the same batch shared
by all workers. Wall-clock time, which others on the machine disturb: runs of one and of two workers take turns, each
gives the median of its steps, and the table the median and the range of the runs; the load is what the machine had
before. Two workers at twice the steps would be perfect; no goal is set. Some three minutes on two idle cores.
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
    """Some steps of a training, by `workers` processes; its one measurement is their median, in seconds."""

    folder: str
    workers: int
    batch: int

    def __call__(self, member: Member | None = None) -> Iterator[Progress]:
        """Train and measure."""
        space, rng, seconds = GenotypeSpace(elasticvit("small")), np.random.default_rng(0), []
        settings = NestedSupernet(dataset=EnlargedDigits(4), batch=self.batch, workers=self.workers)
        with joined(member, self.workers, "cpu") as group, reproducible("cpu", 1, 0):
            run = _Run(settings, Job(space, Path(self.folder)), "cpu", group)
            batch = Part(run.data.train.inputs(slice(self.batch)), run.data.train.labels[: self.batch])
            for _ in range(WARM + TIMED):
                taught = [run.nets.smallest, run.nets.random(rng), run.nets.random(rng)]
                drawn = [Subnet(run.nets.largest, "largest"), *(Subnet(row, "other", (0,), 0.0) for row in taught)]
                began = time.perf_counter()
                run._step(drawn, group.part(batch))
                seconds.append(time.perf_counter() - began)
        yield Progress(1.0, {"step_s": median(seconds[WARM:])})


def step_s(workers: int, batch: int) -> float:
    """Return the median time of a step."""
    with tempfile.TemporaryDirectory() as folder:
        (measured,) = steps_of(Steps(folder, workers, batch))
    assert measured is not None
    return measured[1]["step_s"]


def main() -> int:
    """Print the table; return 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each")
    parser.add_argument("--batch", type=int, default=64, help="images a step, of all workers together")
    given = parser.parse_args()
    load = os.getloadavg()[1]
    found = [(step_s(1, given.batch), step_s(2, given.batch)) for _ in range(given.rounds)]
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {load:.1f}, {given.batch} images of 32x32 a step")
    for workers, times in enumerate(zip(*found, strict=True), 1):
        rates = [1 / each for each in times]
        print(f"{workers} worker(s): {median(rates):.2f} ({min(rates):.2f}-{max(rates):.2f}) steps a second")
    ratios = [one / two for one, two in found]
    print(f"two by one, run by run: {median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
