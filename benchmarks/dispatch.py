"""What the driver's CPU spends on a dispatch: a bare `ray.wait` loop against the Ray launcher, in interleaved rounds.

Run with `python benchmarks/dispatch.py`. Prints the median and the spread of the rounds, in milliseconds of the driver
process's CPU time a candidate: (a) the bare loop over an actor pool, one candidate a call; (b) the launcher held to one
candidate a call, with a study that costs nothing; (c) the launcher as it is, with a study in SQLite.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg
import ray

from search.algorithms.random import Random
from search.launchers.cluster import OBJECT_STORE_BYTES, QUIET
from search.launchers.ray import RayLauncher
from search.objectives import parse_objectives
from search.storage import open_storage
from search.study import Study
from search.trials import Trial
from spaces.genotype import GenotypeSpace

WORKERS = 2


def space() -> GenotypeSpace:
    """Return the space of 22 decisions with 9 choices each."""
    return GenotypeSpace(pg.Dict({f"layer{index}": pg.oneof(list(range(9))) for index in range(22)}))


def recipe() -> tuple[GenotypeSpace, Callable[[Any], dict[str, float]]]:
    return space(), lambda task: {"x": float(task.genotype[0])}


class FreeStudy:
    """A study that costs nothing: trials are made beforehand and what is told is counted."""

    exhausted = False

    def __init__(self, trials: int) -> None:
        genotypes = space().sample(trials, np.random.default_rng(0))
        self._trials = [Trial(number, 1, genotype, number, {}) for number, genotype in enumerate(genotypes)]
        self._asked = 0
        self.told = 0

    def counts(self) -> dict[str, int]:
        """Return that nothing is finished."""
        return {}

    def requested(self) -> None:
        """Return that nobody asks for anything."""

    def ask(self, count: int) -> list[Trial]:
        """Return the next trials."""
        first, self._asked = self._asked, self._asked + count
        return self._trials[first : self._asked]

    def tell_many(self, outcomes: list[Any]) -> None:
        """Count outcomes."""
        self.told += len(outcomes)

    def put_back(self, trials: list[Trial], reason: str) -> None:
        """Refuse: nothing is lost here."""
        raise RuntimeError(f"{len(trials)} trials came back: {reason}")


@ray.remote(num_cpus=1)
class BareWorker:
    """The least that a worker can be."""

    def run(self, genotype: np.ndarray) -> float:
        """Return a metric."""
        return float(genotype[0])


def bare_loop(trials: int) -> float:
    """Return the driver's CPU seconds for evaluating `trials` candidates with the least code that can."""
    genotypes = space().sample(trials, np.random.default_rng(0))
    workers = [BareWorker.remote() for _ in range(WORKERS)]
    ray.get([worker.run.remote(genotypes[0]) for worker in workers])
    began, told, sent = time.process_time(), 0, WORKERS
    running = {worker.run.remote(genotypes[index]): worker for index, worker in enumerate(workers)}
    while running:
        (ref,), _ = ray.wait(list(running), num_returns=1)
        worker = running.pop(ref)
        ray.get(ref)
        told += 1
        if sent < trials:
            running[worker.run.remote(genotypes[sent])] = worker
            sent += 1
    spent = time.process_time() - began
    for worker in workers:
        ray.kill(worker)
    return spent


def launched(study: Any, largest_batch: int) -> float:
    """Return the driver's CPU seconds for running a study, from the moment when its workers are there."""
    began = SimpleNamespace(at=0.0)
    ask = study.ask

    def first_ask(count: int) -> list[Trial]:
        began.at = began.at or time.process_time()
        return ask(count)

    study.ask = first_ask
    RayLauncher(workers=WORKERS, largest_batch=largest_batch).run(study, recipe, lambda: None)
    return time.process_time() - began.at


def free_study(trials: int) -> float:
    study = FreeStudy(trials)
    spent = launched(study, largest_batch=1)
    if study.told != trials:
        raise RuntimeError(f"{study.told} trials of {trials} were told")
    return spent


def stored_study(trials: int) -> float:
    with tempfile.TemporaryDirectory() as folder, open_storage(f"sqlite:///{folder}/search.db") as storage:
        objectives = parse_objectives({"x": "maximize"})
        with Study.create_or_resume(storage, "dispatch", space(), Random(), objectives, max_trials=trials) as study:
            return launched(study, largest_batch=256)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    ray.init(
        address="local", num_cpus=WORKERS, include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **QUIET
    )
    ways = {"bare ray.wait loop": bare_loop, "launcher, one a call": free_study, "launcher, SQLite": stored_study}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            spent[name].append(1000 * way(arguments.trials) / arguments.trials)
    for name, times in spent.items():
        print(f"{name:22} {statistics.median(times):7.3f} ms CPU a candidate ({min(times):.3f} to {max(times):.3f})")
    ratios = [
        ours / bare for ours, bare in zip(spent["launcher, one a call"], spent["bare ray.wait loop"], strict=True)
    ]
    print(f"launcher / bare loop: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); bound 1.5")


if __name__ == "__main__":
    main()
