"""Joint, separate and factorized search of HPOLib's perceptrons and their trainings, at equal numbers of evaluations.

    python benchmarks/search_flows.py [--seeds 20] [--peer-seeds 8] [--datasets protein_structure,...]

The flows are those of the shipped studies flow_joint, flow_separate and flow_factorized, with their hill climbing, and
variants of them; beside them the same flows as PyGlove programs (`pg.sample` with `where=`, PyGlove's hill climbing,
in memory). Prints, per data set, how many of 10,000 recipes are better than the best found after 50, 100 and 200
evaluations, mean +- standard error over seeds (a repeated recipe counts as an evaluation), and CPU ms an evaluation.
Ends with 1 where a flow is behind PyGlove's, over all data sets, by more than two standard errors.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: small matrices are slower on several threads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg

from evaluators.hpo_table import HPOLIB_DATASETS
from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms.factorized import Factorized
from search.algorithms.hill_climb import HillClimb
from search.algorithms.separate import Separate
from search.study_file import load_study_file
from spaces.genotype import GenotypeSpace
from spaces.hpolib import hpolib

BUDGET = 200
COUNTS = (50, 100, 200)
SPACE = GenotypeSpace(hpolib())
NETWORK = ("activation_fn_*", "dropout_*", "n_units_*")
TRAINING = ("batch_size", "init_lr", "lr_schedule")
DEFAULT = {"batch_size": 32, "init_lr": 0.001, "lr_schedule": "const"}
INNER = 5

Losses = np.ndarray
"""The loss of every recipe by its rank in the space's order, shape (62208,)."""


def shipped(name: str) -> Algorithm:
    """Return the algorithm of a shipped study."""
    return load_study_file(name).algorithm


OURS: dict[str, Callable[[], Algorithm]] = {
    "joint": lambda: shipped("flow_joint"),
    "separate": lambda: shipped("flow_separate"),
    "separate, turns of 25": lambda: Separate(NETWORK, 25, default=DEFAULT),
    "separate, training first": lambda: Separate(TRAINING, BUDGET // 2),
    "factorized": lambda: shipped("flow_factorized"),
    "factorized, warm start": lambda: Factorized(NETWORK, INNER, warm_start=True),
    "factorized, training outer": lambda: Factorized(TRAINING, INNER),
    "factorized, then joint": lambda: Factorized(NETWORK, INNER, joint_after=BUDGET // 2),
}


def own(make: Callable[[], Algorithm], losses: Losses, seed: int) -> np.ndarray:
    """Return the losses that an algorithm of this project finds, one proposal at a time."""
    algorithm = make()
    algorithm.start(Problem(SPACE, 1, seed))
    found: list[float] = []
    while len(found) < BUDGET:
        genotypes = algorithm.propose(1)
        values = losses[_ranks(genotypes)]
        algorithm.learn(Results(genotypes, -values[:, None], np.zeros(1)))
        found += values.tolist()
    return np.array(found)


def _ranks(genotypes: np.ndarray) -> np.ndarray:
    shape = [column.cardinality for column in SPACE.columns]
    ranks: np.ndarray = np.ravel_multi_index(tuple(genotypes.T.astype(np.intp)), shape)
    return ranks


class Program:
    """The three flows as PyGlove programs, whose evaluations it notes."""

    def __init__(self, losses: Losses, seed: int) -> None:
        """Begin with no evaluation."""
        self._losses = losses
        self._seeds = np.random.default_rng(seed)
        self.found: list[float] = []

    def loop(self, space: object, trials: int, where: Callable[[object], bool] | None = None) -> object:
        """Return PyGlove's loop over a space."""
        seed = int(self._seeds.integers(2**31))
        climber = pg.evolution.hill_climb(pg.evolution.mutators.Uniform(seed=seed), seed=seed)
        return pg.sample(space, climber, num_examples=trials, where=where)

    def evaluate(self, example: object) -> float:
        """Return the reward of a recipe."""
        self.found.append(float(self._losses[_ranks(SPACE.encode(example)[None])[0]]))
        return -self.found[-1]

    def joint(self) -> None:
        """Search both in one loop."""
        for example, feedback in self.loop(hpolib(), BUDGET):
            feedback(self.evaluate(example))

    def separate(self) -> None:
        """Search the network with the default training, then the training with the best network."""
        best: dict[str, object] = {}
        top = -np.inf
        for example, feedback in self.loop(hpolib().rebind(DEFAULT), BUDGET // 2):
            reward = self.evaluate(example)
            feedback(reward)
            if reward > top:
                top, best = reward, {name: value for name, value in example.sym_items() if name not in TRAINING}
        for example, feedback in self.loop(hpolib().rebind(best), BUDGET // 2):
            feedback(self.evaluate(example))

    def factorized(self) -> None:
        """Search the training of each network."""
        for network, feedback in self.loop(hpolib(), BUDGET // INNER, lambda value: value.sym_path.key not in TRAINING):
            rewards = []
            for example, inner in self.loop(network, INNER):
                rewards.append(self.evaluate(example))
                inner(rewards[-1])
            feedback(max(rewards))


def peer(flow: str, losses: Losses, seed: int) -> np.ndarray:
    """Return the losses that a flow finds as a PyGlove program."""
    program = Program(losses, seed)
    getattr(program, flow)()
    return np.array(program.found)


def better(losses: Losses, found: np.ndarray) -> np.ndarray:
    """Return how many of 10,000 recipes are better than the best of the first so many, for each of COUNTS."""
    best = np.minimum.accumulate(found)[np.array(COUNTS) - 1]
    return np.searchsorted(np.sort(losses), best) / len(losses) * 1e4


def compare(dataset: str, seeds: int, peer_seeds: int) -> dict[str, np.ndarray]:
    """Print a data set's table; return what each method found, shape (seeds, counts)."""
    evaluator = load_study_file("flow_joint", {"dataset": dataset}).evaluator
    losses = evaluator.evaluate_many(SPACE.enumerate(0, SPACE.size or 0))["loss"]
    methods = {name: lambda seed, make=make: own(make, losses, seed) for name, make in OURS.items()}
    methods |= {f"PyGlove: {flow}": lambda seed, flow=flow: peer(flow, losses, seed) for flow in FLOWS}
    table = {}
    print(f"\n{dataset}: recipes of 10,000 that are better, after {', '.join(map(str, COUNTS))} evaluations")
    for name, method in methods.items():
        began = time.process_time()
        runs = peer_seeds if name.startswith("PyGlove") else seeds
        table[name] = np.array([better(losses, method(seed)) for seed in range(runs)])
        cpu_ms = (time.process_time() - began) / runs / BUDGET * 1e3
        print(f"  {name:28} ({runs:2} seeds) {_line(*_mean(table[name]))}  {cpu_ms:6.2f} CPU ms each", flush=True)
    return table


FLOWS = ("joint", "separate", "factorized")


def _mean(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    error = found.std(axis=0, ddof=1) / len(found) ** 0.5 if len(found) > 1 else np.full(found.shape[1], np.nan)
    return found.mean(axis=0), error


def _line(mean: np.ndarray, error: np.ndarray) -> str:
    return "  ".join(f"{m:8.2f} +- {e:6.2f}" for m, e in zip(mean, error, strict=True))


def over_all(tables: list[dict[str, np.ndarray]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a method's mean over the data sets, and its standard error."""
    parts = [_mean(table[name]) for table in tables]
    return np.mean([mean for mean, _ in parts], axis=0), np.sqrt(sum(error**2 for _, error in parts)) / len(parts)


def main() -> int:
    """Compare the flows; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--peer-seeds", type=int, default=8)
    parser.add_argument("--datasets", default=",".join(HPOLIB_DATASETS))
    options = parser.parse_args()
    versions = f"Python {platform.python_version()}, PyGlove {importlib.metadata.version('pyglove')}"
    print(f"{versions}; {platform.machine()}, one process; inner algorithm {HillClimb().settings}")
    tables = [compare(name, options.seeds, options.peer_seeds) for name in options.datasets.split(",")]
    print("\nmean over the data sets")
    for name in tables[0]:
        print(f"  {name:28}            {_line(*over_all(tables, name))}")
    missed = []
    for flow in FLOWS:
        (mine, error), (theirs, other) = over_all(tables, flow), over_all(tables, f"PyGlove: {flow}")
        if mine[-1] - theirs[-1] > 2 * np.hypot(error[-1], other[-1]):
            missed.append(f"{flow}: {mine[-1]:.2f} of 10,000 are better, PyGlove's program leaves {theirs[-1]:.2f}")
    print("\n" + ("\n".join(f"MISSED {miss}" for miss in missed) or "goals met: no flow is behind PyGlove's"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
