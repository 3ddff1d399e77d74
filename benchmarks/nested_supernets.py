"""Nested supernets: what a step and a score cost, and whether inherited accuracies rank networks as training does.

    python benchmarks/nested_supernets.py [--short] [--images TRAIN.npz TEST.npz] [--seeds 2]

The space is `elasticvit("small")`, at 16 pixels for ranks. Costs: CPU time on one thread, median and quartiles, on
digits. Ranks: 20 networks of six levels of complexity, the smallest and the largest are each trained alone; Kendall's
tau of these accuracies with those inherited from supernets of several samplers, over validation and test images
together, with a 95 % bootstrap interval over networks; with two seeds also the tau of the trainings with each other,
which is the most to hope for. The images are CIFAR-10's or the like where `--images` names archives of them (2,000
train, 1,000 validate, 3,000 test), else the digits, which nearly all networks read alike: of them ranks say little.
Exits with 1 where a goal of costs is missed; ranks are reported as they come. Some ten CPU minutes a seed; `--short` is
two, and says nothing of ranks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import kendalltau
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evaluators._base import Metrics, Task
from evaluators._preparation import Job
from evaluators.datasets import Dataset, EnlargedDigits, Images, JpegArchives, Part, load
from evaluators.inherited_accuracy import InheritedAccuracy
from evaluators.nested.scoring import fitted
from evaluators.nested.space import NestedSpace
from evaluators.nested_supernet import NestedSupernet, _Run
from evaluators.optimization import Optimization
from evaluators.samplers._base import Sampler, Subnet
from evaluators.samplers.complexity_aware import ComplexityAware, at_level
from evaluators.samplers.performance_aware import PerformanceAware
from evaluators.samplers.sandwich import Sandwich
from evaluators.samplers.uniform import Uniform
from evaluators.train import Train
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace

MOST_OF_SANDWICH, MOST_OF_SHARING = 2.0, 1.3
"""Goals: CPU time of a sandwich step by the largest network's; of a step on shared weights by one on its own."""

SIDE = 16
TRAINED, VALIDATING, TESTED = 2000, 1000, 3000
ADAM = Optimization("adamw", 1e-3, 0.9, 0.05, "cosine", 0.1, (), 0.1)
SAMPLERS: dict[str, Sampler] = {
    "uniform, 4 networks a step": Uniform(4),
    "complexity-aware, 3 + smallest": ComplexityAware(),
    "complexity- and performance-aware": PerformanceAware(capacity=16),
    "sandwich, 4 networks": Sandwich(),
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    repeats: int
    networks: int
    epochs: int
    alone: int


@dataclass(frozen=True)
class Small:
    """Archives of pictures, of which some are brought to `SIDE` pixels."""

    train: str
    test: str

    def __call__(self) -> Images:
        """Return the data set."""
        images = JpegArchives(self.train, self.test, val=VALIDATING, limit=TRAINED)()
        parts = (images.train, images.val, images.test)
        return Images(images.classes, *(_small(part) for part in parts))


def _small(part: Part) -> Part:
    rows = slice(TESTED)
    return Part(fitted(part.inputs(rows), SIDE), part.labels[rows])


def cpu_ms(work: Callable[[], object], repeats: int) -> np.ndarray:
    """Return quartiles of the CPU ms of some work, after one run that warms up."""
    times = []
    for _ in range(repeats + 1):
        began = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - began))
    return np.quantile(times[1:], [0.5, 0.25, 0.75])


def shown(name: str, quartiles: np.ndarray, by: float) -> str:
    """Return a line of the table."""
    return f"{name:38} {quartiles[0]:8.0f} ({quartiles[1]:.0f}-{quartiles[2]:.0f}) {quartiles[0] / by:12.2f}"


def measure_costs(sizes: Sizes) -> list[str]:
    """Print what steps cost; return the goals that are missed."""
    space = GenotypeSpace(elasticvit("small"))
    settings = NestedSupernet(dataset=EnlargedDigits(4), optimization=ADAM)
    with tempfile.TemporaryDirectory() as folder:
        run = _Run(settings, Job(space, Path(folder)), "cpu")
    batch = Part(run.data.train.inputs(slice(64)), run.data.train.labels[:64])
    rng = np.random.default_rng(0)

    def sandwich() -> None:
        nets = [("largest", run.nets.largest), ("smallest", run.nets.smallest)]
        nets += [("random", run.nets.random(rng)) for _ in range(2)]
        run._step(
            [Subnet(row, kind, (0,) if place else (), float(not place)) for place, (kind, row) in enumerate(nets)],
            batch,
        )

    own = space.decode(run.nets.largest).build().train()
    optimizer = ADAM.make_optimizer(own, fused=False)

    def alone() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(functional.cross_entropy(own(batch.images), batch.labels))
        optimizer.step()

    largest = cpu_ms(alone, sizes.repeats)
    shared = cpu_ms(lambda: run._step([Subnet(run.nets.largest, "largest")], batch), sizes.repeats)
    whole = cpu_ms(sandwich, 3 * sizes.repeats)
    print(f"{'a step, 64 images of 32x32':38} {'CPU ms (quartiles)':>20} {'x the first':>12}")
    print(shown("the largest network, its own weights", largest, largest[0]))
    print(shown("the largest network, shared weights", shared, largest[0]))
    print(shown("sandwich: largest, smallest, 2 random", whole, largest[0]))
    with tempfile.TemporaryDirectory() as folder:
        list(NestedSupernet(dataset=EnlargedDigits(4), epochs=1, batch=256)(Job(space, Path(folder))))
        score = InheritedAccuracy(dataset=EnlargedDigits(4), keep=False)
        rows = iter(space.sample(3 * sizes.repeats + 1, rng))
        scored = cpu_ms(lambda: list(score(Task(space, next(rows), prepared=(Path(folder),)))), 3 * sizes.repeats)
    print(f"{'a random network scored':38} {scored[0]:8.0f} ({scored[1]:.0f}-{scored[2]:.0f})")
    print(f"{1e3 / scored[0]:.1f} networks a second of one CPU are scored")
    goals = {
        f"a sandwich step takes at most {MOST_OF_SANDWICH:g} x the largest network's": whole[0] / largest[0]
        <= MOST_OF_SANDWICH,
        f"shared weights take at most {MOST_OF_SHARING:g} x the time": shared[0] / largest[0] <= MOST_OF_SHARING,
    }
    return [goal for goal, met in goals.items() if not met]


def spread_networks(nets: NestedSpace, count: int) -> np.ndarray:
    """Return genotypes of six levels of complexity, as many of each, that are different networks."""
    rng, levels = np.random.default_rng(7), ComplexityAware().levels_of(nets)
    found = {row.tobytes(): row for row in (nets.smallest, nets.largest)}
    while len(found) < count:
        level = levels[len(found) % len(levels)]
        row = at_level(nets, (level, 1.2 * level), rng, nets.smallest)
        if not nets.space.decode(row).raised:
            found.setdefault(row.tobytes(), row)
    return np.stack(list(found.values()))


def accuracy(metrics: Metrics, images: Images) -> float:
    """Return the accuracy over validation and test images together."""
    counts = len(images.val.labels), len(images.test.labels)
    return float(np.average([metrics["accuracy"], metrics["test_accuracy"]], weights=counts))


def tau_of(first: np.ndarray, second: np.ndarray) -> str:
    """Return Kendall's tau with its 95 % bootstrap interval over networks."""
    rng, tau = np.random.default_rng(0), float(kendalltau(first, second).statistic)
    draws = [rng.integers(len(first), size=len(first)) for _ in range(2000)]
    low, high = np.nanquantile([kendalltau(first[rows], second[rows]).statistic for rows in draws], [0.025, 0.975])
    return f"{tau:5.2f} ({low:.2f} to {high:.2f})"


def measure_ranks(sizes: Sizes, data: Dataset, seeds: int) -> None:
    """Print how inherited accuracies rank networks."""
    space, images = GenotypeSpace(elasticvit("small", resolutions=[SIDE])), load(data)
    rows = spread_networks(NestedSpace(space), sizes.networks)
    train = Train(data, sizes.alone, optimizer="adamw", lr=1e-3, weight_decay=0.05, label_smoothing=0.1, test=True)

    def trained(row: np.ndarray, seed: int) -> float:
        return accuracy(list(train(Task(space, row, seed=seed)))[-1], images)

    began = time.process_time()
    alone = np.array([[trained(row, seed) for row in rows] for seed in range(seeds)])
    each = (time.process_time() - began) / alone.size
    agreement = f"; tau of two seeds {tau_of(alone[0], alone[1])}" if seeds > 1 else ""
    print(
        f"\n{sizes.networks} networks trained alone, {sizes.alone} epochs: {alone.min():.1f} to {alone.max():.1f} %, "
        f"{each:.1f} CPU s each{agreement}"
    )
    print(
        f"{'supernet, ' + str(sizes.epochs) + ' epochs':38} {'tau (95 %)':>22} {'accuracies, %':>16} {'CPU s':>7}",
        flush=True,
    )
    for name, sampler in SAMPLERS.items():
        made = NestedSupernet(sampler=sampler, dataset=data, epochs=sizes.epochs, optimization=ADAM, statistics=256)
        score = InheritedAccuracy(data, statistics=256, keep=False, test=True)
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            list(made(Job(space, Path(folder))))
            spent = time.process_time() - began
            tasks = [Task(space, row, prepared=(Path(folder),)) for row in rows]
            found = np.array([accuracy(next(score(task)), images) for task in tasks])
        print(
            f"{name:38} {tau_of(alone.mean(0), found):>22} {found.min():7.1f}-{found.max():.1f} {spent:9.0f}",
            flush=True,
        )


def main() -> int:
    """Print costs and ranks; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few repeats, six networks, three epochs")
    parser.add_argument("--images", nargs=2, metavar="FILE", help="archives of JPEGs to train on and to test on")
    parser.add_argument("--seeds", type=int, default=2, help="how often each network is trained alone")
    given = parser.parse_args()
    sizes = Sizes(3, 6, 3, 2) if given.short else Sizes(9, 20, 10, 6)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread")
    missed = measure_costs(sizes)
    measure_ranks(sizes, Small(*given.images) if given.images else EnlargedDigits(SIDE // 8), given.seeds)
    print("\n" + ("\n".join(f"MISSED: {goal}" for goal in missed) or "every goal is met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
