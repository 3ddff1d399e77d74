"""One search of architecture, pruning and training together, beside searches of each alone, at equal evaluations.

    python benchmarks/joint_search.py [--seeds 20] [--evaluations 300]

The space is `pg.Dict(architecture=..., pruning=..., training=...)`: 216 small MBConv networks, 27 choices of three
pruning rates, 256 trainings; 1,492,992 genotypes. Latencies on two devices are estimated from their published peaks for
the operators of the pruned networks. Accuracy is planted: what a stage's channels give levels off, four fifths of a
pruned channel's worth are lost, learning rates and decays are best near a value of each optimiser, and wide networks
gain from the smoothing that narrow ones lose by. All genotypes are scored, so that both devices' true fronts are known.

Each method is NSGA-II with as many evaluations; a search of one part holds the others at `DEFAULT`. `in turns` is
`separate` search: the network with its rates first, then its training. Prints the hypervolume of each device's front as
a share of the true one's, mean +- standard error over seeds, and CPU milliseconds an evaluation. Ends with 1 where on
some device the joint search's mean is below that of the best other one.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: small matrices are slower on several threads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg
from search_runs import mean_and_error

from hardware_models.device_sheet import device_sheet
from hardware_models.roofline import Roofline
from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._decisions import genotype_of, named
from search.algorithms.nsga2 import NSGA2
from search.algorithms.separate import Separate
from search.known_metrics import KnownMetrics
from search.objectives import hypervolume, nondominated
from spaces.genotype import GenotypeSpace, Part
from spaces.hyperparameters import hyperparameters
from spaces.mbconv import mbconv
from spaces.pruning_rates import pruning_rates

DEVICES = (Roofline(device_sheet("raspberrypi4"), overhead_us=5), Roofline(device_sheet("jetson-nano"), overhead_us=20))
WIDTHS = ((16, 24, 32), (24, 32, 48), (48, 64, 96))
SPACE = GenotypeSpace(
    pg.Dict(
        architecture=mbconv((3, 32, 32), widths=WIDTHS, depth=2, kernels=(3,), expansions=(4,)),
        pruning=pruning_rates(3),
        training=hyperparameters(
            momentum=[0.9],
            schedules=["cosine"],
            warmup=[0.0, 0.1],
            batch=[32, 128],
            label_smoothing=[0.0, 0.1],
            levels=4,
        ),
    )
)
DEFAULT = {
    **{f"architecture.stages[{stage}].width": WIDTHS[stage][1] for stage in range(3)},
    "architecture.stages[1].first.then": SPACE.columns[3].choices[1],
    "architecture.stages[2].first.then": SPACE.columns[3].choices[1],
    "training.optimizer[=0/2].lr": 0.215,
    "training.optimizer[=0/2].weight_decay": 4.64e-05,
    "training.warmup": 0.1,
}
"""Middle widths, two blocks a stage but for the first, nothing pruned, SGD as `evaluators.train.Train` has it."""

COLUMNS = {column.name: place for place, column in enumerate(SPACE.columns)}
WORTH, SATURATION = (4.0, 10.0, 16.0), (10.0, 20.0, 40.0)
RATES = np.array([[0.01, 0.0464, 0.215, 1.0], [0.0001, 0.000669, 0.00448, 0.03]])
DECAYS = np.array([1e-06, 4.64e-05, 0.00215, 0.1])


def value(genotypes: np.ndarray, name: str, values: np.ndarray | tuple[float, ...]) -> np.ndarray:
    """Return what a decision has in each genotype, (n,)."""
    found: np.ndarray = np.asarray(values, float)[genotypes[:, COLUMNS[name]].astype(int)]
    return found


def accuracy(genotypes: np.ndarray) -> np.ndarray:
    """Return the planted accuracy of genotypes, (n,), in percent."""
    parts = []
    for stage, (worth, saturation) in enumerate(zip(WORTH, SATURATION, strict=True)):
        width = value(genotypes, f"architecture.stages[{stage}].width", WIDTHS[stage])
        blocks = 1 + 0.4 * value(genotypes, f"architecture.stages[{stage}].first.then", (0, 1))
        left = 1 - 0.8 * value(genotypes, f"pruning.rates[{stage}]", (0.0, 0.25, 0.5))
        parts.append(worth * (1 - np.exp(-width * left * blocks / saturation)))
    capacity = np.sum(parts, axis=0)
    return 60 + capacity + _training(genotypes, capacity / sum(WORTH))


def _training(genotypes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return what the training adds to the accuracy of networks of this size, from 0 to 1."""
    adamw = value(genotypes, "training.optimizer", (0, 1)).astype(bool)
    batch = value(genotypes, "training.batch", (32, 128))
    names = [f"training.optimizer[={number}/2]" for number in (0, 1)]
    rate = np.where(adamw, *(value(genotypes, f"{names[n]}.lr", RATES[n]) for n in (1, 0)))
    decay = np.where(adamw, *(value(genotypes, f"{names[n]}.weight_decay", DECAYS) for n in (1, 0)))
    best = np.where(adamw, 2e-3, 0.15 * np.sqrt(batch / 64))
    smoothing = value(genotypes, "training.label_smoothing", (-1, 1))
    warmup = 0.5 * value(genotypes, "training.warmup", (0, 1))
    off = 1.5 * np.log10(rate / best) ** 2 + 0.4 * np.log10(decay / np.where(adamw, 1e-2, 5e-4)) ** 2
    return warmup + 0.5 * adamw - off + 4 * smoothing * (size - 0.75)


def one_part(free: str) -> Callable[[int], tuple[Algorithm, Part]]:
    """Return what searches the decisions of one member, the others being held."""
    held = SPACE.repair(genotype_of(SPACE, DEFAULT)[None])[0]
    part = SPACE.part(named(SPACE, free), held)
    return lambda _: (NSGA2(), part)


def everything(make: Callable[[int], Algorithm]) -> Callable[[int], tuple[Algorithm, Part]]:
    """Return what searches all decisions."""
    whole = SPACE.part(np.ones(SPACE.width, bool), SPACE.sample(1, np.random.default_rng(0))[0])
    return lambda evaluations: (make(evaluations), whole)


METHODS = {
    "joint": everything(lambda _: NSGA2()),
    "architecture alone": one_part("architecture"),
    "pruning alone": one_part("pruning"),
    "training alone": one_part("training"),
    "in turns": everything(
        lambda evaluations: Separate(("architecture", "pruning"), evaluations // 2, "nsga2", default=DEFAULT)
    ),
}


def scores(genotypes: np.ndarray, costs: KnownMetrics) -> np.ndarray:
    """Return accuracy and both latencies, the latter negative, (n, 3)."""
    return np.column_stack([accuracy(genotypes), -costs(genotypes)])


def searched(method: str, evaluations: int, seed: int, costs: KnownMetrics) -> np.ndarray:
    """Return the scores of all that a method evaluates; fewer where a part has no more."""
    algorithm, part = METHODS[method](evaluations)
    algorithm.start(Problem(part.space, 3, seed))
    found: list[np.ndarray] = []
    while len(found) < evaluations:
        genotypes = algorithm.propose(1)
        if not len(genotypes):
            break
        found.append(scores(part.join(genotypes), costs)[0])
        algorithm.learn(Results(genotypes, found[-1][None], np.zeros(1)))
    return np.array(found)


def true_scores(costs: KnownMetrics) -> np.ndarray:
    """Return the scores of all genotypes that may be on a front."""
    kept = []
    for start in range(0, SPACE.size or 0, 2**16):
        block = scores(SPACE.enumerate(start, min(2**16, (SPACE.size or 0) - start)), costs)
        kept.append(block[nondominated(block)])
    return np.concatenate(kept)


def volumes(found: np.ndarray, worst: np.ndarray) -> np.ndarray:
    """Return the hypervolume of each device's front, (2,)."""
    return np.array([hypervolume(found[:, [0, device]], worst[[0, device]]) for device in (1, 2)])


def main() -> int:
    """Compare the methods; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evaluations", type=int, default=300)
    options = parser.parse_args()
    began, costs = time.process_time(), KnownMetrics(SPACE, DEVICES)
    truth = true_scores(costs)
    worst = truth.min(axis=0)
    best = volumes(truth, worst)
    print(
        f"{SPACE.size:,} genotypes scored in {time.process_time() - began:.0f} s of CPU; "
        f"{options.evaluations} evaluations"
    )
    means = {}
    for method in METHODS:
        began = time.process_time()
        found = [searched(method, options.evaluations, seed, costs) for seed in range(options.seeds)]
        each_ms = (time.process_time() - began) / sum(map(len, found)) * 1e3
        shares = np.array([volumes(one, worst) / best for one in found])
        means[method], errors = mean_and_error(shares)
        told = "   ".join(
            f"{model.sheet.id} {mean:.2%} +- {error:.2%}"
            for model, mean, error in zip(DEVICES, means[method], errors, strict=True)
        )
        print(f"{method:20} {told}   {len(found[0]):4} evaluations   {each_ms:.1f} CPU ms each", flush=True)
    others = np.max([mean for method, mean in means.items() if method != "joint"], axis=0)
    good = bool((means["joint"] >= others).all())
    print("goal met: the joint front is the best" if good else "MISSED: a separate search has a better front")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
