"""How the accuracies that networks inherit from supernets rank them, beside accuracies of their own trainings.

The parts that `benchmarks/nested_supernets.py` reports: networks of a nested space, how each scores when trained alone
and with inherited weights, with several seeds of both, and Kendall's tau with bootstrap intervals.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from scipy.stats import kendalltau
from search_runs import Run, completed

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evaluators._base import Metrics, Task
from evaluators._preparation import Job
from evaluators._reproducible import images_on
from evaluators.datasets import Dataset, EnlargedDigits, Images, JpegArchives, Part
from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.nested.scoring import fitted
from evaluators.nested.space import NestedSpace
from evaluators.nested_supernet import NestedSupernet
from evaluators.optimization import Optimization
from evaluators.samplers._base import Sampler
from evaluators.samplers.complexity_aware import ComplexityAware, at_level
from evaluators.samplers.performance_aware import PerformanceAware
from evaluators.samplers.sandwich import Sandwich
from evaluators.samplers.uniform import Uniform
from evaluators.train import Train
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "images_cifar10"
SIDE = 16
ADAM = Optimization("adamw", 1e-3, 0.9, 0.05, "cosine", 0.1, (), 0.1)
SAMPLERS: dict[str, Sampler] = {
    "uniform": Uniform(4),
    "complexity-aware": ComplexityAware(),
    "complexity- and performance-aware": PerformanceAware(capacity=16),
    "sandwich": Sandwich(),
}
"""All train four networks a step."""

DRAWS = 1000
"""Bootstrap samples of an interval."""

ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Setting:
    """What ranks are found on: images, how many networks, epochs of a supernet and of a network trained alone."""

    data: Dataset
    networks: int
    epochs: int
    alone: int

    @property
    def task(self) -> str:
        """What tells runs of this setting from others in a file of runs."""
        return f"{type(self.data).__name__} {self.networks} {self.epochs} {self.alone}"


@dataclass(frozen=True)
class Small:
    """Archives of pictures, brought to `SIDE` pixels: `limit` train, `val` validate, all of the second test."""

    train: str
    test: str
    limit: int = 3000
    val: int = 1000

    def __call__(self) -> Images:
        """Return the data set."""
        images = JpegArchives(self.train, self.test, val=self.val, limit=self.limit)()
        return Images(images.classes, *(self._small(part) for part in (images.train, images.val, images.test)))

    @staticmethod
    def _small(part: Part) -> Part:
        return Part(fitted(part.inputs(slice(None)), SIDE), part.labels)


def setting(folder: Path, *, short: bool) -> Setting:
    """Return the setting: CIFAR-10 where its archives are in the folder, else the digits; short: few of all."""
    train, test = folder / "cifar10_train_12k.npz", folder / "cifar10_val_4k.npz"
    if short:
        return Setting(EnlargedDigits(SIDE // 8), 6, 3, 2)
    if train.is_file() and test.is_file():
        return Setting(Small(str(train), str(test)), 20, 6, 6)
    return Setting(EnlargedDigits(SIDE // 8), 20, 10, 6)


@cache
def networks(count: int) -> tuple[GenotypeSpace, np.ndarray, np.ndarray]:
    """Return the space, genotypes of six levels of complexity, as many of each, and their multiply-accumulates.

    The smallest and the largest are among them, and no two are the same network.
    """
    space = GenotypeSpace(elasticvit("small", resolutions=[SIDE]))
    nets = NestedSpace(space)
    rng, levels = np.random.default_rng(7), ComplexityAware().levels_of(nets)
    found = {row.tobytes(): row for row in (nets.smallest, nets.largest)}
    while len(found) < count:
        level = levels[len(found) % len(levels)]
        row = at_level(nets, (level, 1.2 * level), rng, nets.smallest)
        if not space.decode(row).raised:
            found.setdefault(row.tobytes(), row)
    rows = np.stack(list(found.values()))
    return space, rows, np.array([nets.macs(row) for row in rows])


def accuracy(metrics: Metrics, images: Images) -> float:
    """Return the accuracy over validation and test images together."""
    counts = len(images.val.labels), len(images.test.labels)
    return float(np.average([metrics["accuracy"], metrics["test_accuracy"]], weights=counts))


def run(of: Setting, task: str, method: str, seed: int) -> Run:
    """Train all networks alone, or a supernet by the sampler of this name; `found` are the networks' accuracies.

    The CPU time is that of training; of networks alone, that of scoring them too.
    """
    torch.set_num_threads(1)
    space, rows, _ = networks(of.networks)
    images = images_on(of.data, "cpu")
    began = time.process_time()
    if method.startswith(ALONE):
        train = Train(of.data, of.alone, optimizer="adamw", lr=1e-3, weight_decay=0.05, label_smoothing=0.1, test=True)
        row = rows[int(method.removeprefix(ALONE))]
        found = [accuracy(list(train(Task(space, row, seed=seed)))[-1], images)]
        return Run(task, method, seed, found, time.process_time() - began)
    made = NestedSupernet(
        sampler=SAMPLERS[method], dataset=of.data, epochs=of.epochs, optimization=ADAM, statistics=256
    )
    score = InheritedAccuracy(of.data, statistics=256, keep=False, test=True)
    with tempfile.TemporaryDirectory() as folder:
        list(made(Job(space, Path(folder), seed=seed)))
        spent = time.process_time() - began
        tasks = [Task(space, row, prepared=(Path(folder),)) for row in rows]
        found = [accuracy(next(score(task)), images) for task in tasks]
    return Run(task, method, seed, found, spent)


def tau(first: np.ndarray, second: np.ndarray) -> float:
    """Return Kendall's tau-b; 0 where either is constant."""
    found = float(kendalltau(first, second).statistic)
    return found if np.isfinite(found) else 0.0


def mean_tau(truths: np.ndarray, found: np.ndarray) -> float:
    """Return the mean over seeds of the taus of `found`, (seeds, n), with the mean of `truths`, (seeds, n)."""
    return float(np.mean([tau(truths.mean(0), one) for one in found]))


def agreement(truths: np.ndarray) -> float:
    """Return the mean tau of each seed's accuracies with each other seed's."""
    return float(np.mean([tau(first, second) for first, second in combinations(truths, 2)]))


def interval(of: Callable[[np.ndarray, np.ndarray], float], count: int, seeds: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a statistic of networks' places and of seeds', drawn with replacement."""
    rng = np.random.default_rng(0)
    draws = [of(rng.integers(count, size=count), rng.integers(seeds, size=seeds)) for _ in range(DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def cell(value: float, bounds: tuple[float, float]) -> str:
    """Return a figure with its interval."""
    return f"{value:5.2f} ({bounds[0]:.2f} to {bounds[1]:.2f})"


def report(truths: np.ndarray, macs: np.ndarray, inherited: dict[str, list[Run]]) -> None:
    """Print how well the truth agrees with itself, then tau and its difference from uniform sampling's by sampler.

    `truths` are accuracies, (seeds, networks). Intervals are over networks and, of supernets, over their seeds.
    """
    seeds, count = truths.shape
    if seeds > 1:
        own = interval(lambda rows, _: agreement(truths[:, rows]), count, 1)
        spread, noise = truths.mean(0).std(ddof=1), truths.std(0, ddof=1).mean()
        print(
            f"{count} networks, mean of {seeds} seeds {truths.mean(0).min():.1f} to {truths.mean(0).max():.1f} %, "
            f"deviation between networks {spread:.2f}, seeds {noise:.2f}; "
            f"tau of two seeds {cell(agreement(truths), own)}"
        )
    print(f"{'':34} {'tau (95 %)':>21} {'less uniform':>22} {'of each seed':>14} {'accuracies, %':>14} {'CPU s':>6}")
    known = interval(lambda rows, _: tau(truths.mean(0)[rows], macs[rows]), count, 1)
    print(f"{'multiply-accumulates':34} {cell(tau(truths.mean(0), macs), known):>21}")
    uniform = np.array([one.found for one in inherited["uniform"]])
    for name, runs in inherited.items():
        found = np.array([one.found for one in runs])
        print(f"{name:34} {_row(truths, found, uniform, differs=name != 'uniform')}", end=" ")
        print(f"{found.min():7.1f} - {found.max():.1f} {np.mean([one.cpu_s for one in runs]):6.0f}")


def _row(truths: np.ndarray, found: np.ndarray, uniform: np.ndarray, *, differs: bool) -> str:
    seeds, count = found.shape

    def of(rows: np.ndarray, seeds: np.ndarray) -> float:
        return mean_tau(truths[:, rows], found[seeds][:, rows])

    def less(rows: np.ndarray, seeds: np.ndarray) -> float:
        return of(rows, seeds) - mean_tau(truths[:, rows], uniform[seeds][:, rows])

    every = np.arange(count), np.arange(seeds)
    whole = cell(of(*every), interval(of, count, seeds))
    beside = cell(less(*every), interval(less, count, seeds)) if differs else ""
    each = " ".join(f"{tau(truths.mean(0), one):.2f}" for one in found)
    return f"{whole:>21} {beside:>22} {each:>14}"


def measure_ranks(of: Setting, seeds: Iterable[int], out: Path | None) -> None:
    """Train what the file `out` does not hold, one seed after another, and print how accuracies rank networks."""
    every, task, make = list(seeds), of.task, partial(run, of)
    names = [f"{ALONE}{place}" for place in range(of.networks)]
    runs = completed([(task, name, seed) for seed in every for name in [*names, *SAMPLERS]], make, 1, out)
    found = {(one.method, one.seed): one for one in runs}
    alone = [[found[name, seed] for name in names] for seed in every]
    each = np.mean([one.cpu_s for line in alone for one in line])
    print(f"\n{of.task}: {each:.1f} CPU s a network trained alone")
    truths = np.array([[one.found[0] for one in line] for line in alone])
    macs = networks(of.networks)[2]
    report(truths, macs, {name: [found[name, seed] for seed in every] for name in SAMPLERS})
