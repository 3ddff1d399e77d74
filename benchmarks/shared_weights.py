"""What networks are worth with a supernet's weights, by how it began; and what training gains by starting from them.

    python benchmarks/shared_weights.py [--seeds 3]

The space is that of `found_networks.py`, ProxylessNAS' scaled down, and the data the digits of 16x16. A supernet is
trained a random path at a time, as ProxylessNAS' warm-up does, for 40 epochs of 11 steps; then 20 random networks are
scored with its weights, on validation images, norms with each batch's own statistics. `first blocks fixed`: only blocks
with a shortcut differ between networks.

Then networks of the last kind of supernet, two a seed, are trained by `Train(supernet=0)` and from drawn weights, for
so many epochs, each with a whole schedule: accuracy on validation images.

Goals: weights that begin alike reach 80 %, and are ahead of drawn ones after one epoch of training. Needs scikit-learn
and some six CPU minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from search_runs import mean_and_error

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from evaluators._base import Task
from evaluators._preparation import Job
from evaluators._reproducible import images_on
from evaluators._shared_weights import accuracy_of
from evaluators._supernet_search import supernet_weights
from evaluators.datasets import EnlargedDigits
from evaluators.proxylessnas_search import ProxylessNASSearch
from evaluators.supernet import Supernet
from evaluators.train import Train
from spaces.genotype import GenotypeSpace
from spaces.proxylessnas import proxylessnas

DATASET = EnlargedDigits(2)
NETWORKS, TRAINED = 20, 2
EPOCHS, RATES = (1, 3, 10), (0.1, 0.02)
LEAST = 80.0


@dataclass(frozen=True, slots=True)
class Start:
    """How a supernet begins, its learning rate, and whether the first block of each stage is fixed."""

    alike: bool
    lr: float
    fixed: bool = False

    def __str__(self) -> str:
        return f"{'alike' if self.alike else 'drawn apart'}, lr {self.lr:g}{', first blocks fixed' * self.fixed}"


STARTS = (Start(False, 0.1, fixed=True), Start(False, 0.1), Start(False, 0.02), Start(True, 0.1), Start(True, 0.02))


def space_of(*, fixed: bool) -> GenotypeSpace:
    """Return the space; with `fixed` the first block of each stage has a kernel of 5 and an expansion of 3."""
    space = proxylessnas(width=0.25, resolution=16, classes=10, strides=(1, 2, 2, 1, 1, 1), depths=(2, 2, 2, 1, 1, 1))
    if fixed:
        space = space.rebind({f"stages[{stage}].blocks[0]": "k5e3" for stage in range(6)})
    return GenotypeSpace(space)


def scored(start: Start, seed: int, folder: Path) -> list[float]:
    """Train a supernet in `folder`; return the validation accuracies of random networks with its weights."""
    space = space_of(fixed=start.fixed)
    search = ProxylessNASSearch(
        dataset=DATASET, epochs=1, warmup=39, batch=64, share=0.2, warmup_lr=start.lr, lr=start.lr, alike=start.alike,
        device="cpu",
    )  # fmt: skip
    list(search(Job(space, folder, seed=seed)))
    supernet = Supernet(space)
    supernet.load_state_dict(supernet_weights(folder))
    rows = space.sample(NETWORKS, np.random.default_rng(seed))
    return [accuracy_of(supernet, row, images_on(DATASET, "cpu").val) for row in rows]


def after(epochs: int, rate: float, task: Task, place: int | None) -> float:
    """Return a network's validation accuracy after a training."""
    return float(list(Train(DATASET, epochs=epochs, lr=rate, device="cpu", supernet=place)(task))[-1]["accuracy"])


def print_training(folders: list[Path]) -> bool:
    """Print what trainings gain by supernets' weights; return whether they are ahead after one epoch."""
    space = space_of(fixed=False)
    tasks = [
        Task(space, row, seed=seed, prepared=(folder,))
        for seed, folder in enumerate(folders)
        for row in space.sample(TRAINED, np.random.default_rng(100 + seed))
    ]
    print(f"\n{'accuracy, %, mean +- SE':34}" + "".join(f"{f'{epochs} epochs':>16}" for epochs in EPOCHS))
    ahead = True
    for rate in RATES:
        first = []
        for name, place in (("drawn weights", None), ("the supernet's", 0)):
            found = np.array([[after(epochs, rate, task, place) for epochs in EPOCHS] for task in tasks])
            means, errors = mean_and_error(found)
            cells = "".join(f"{f'{mean:.1f} +- {error:.1f}':>16}" for mean, error in zip(means, errors, strict=True))
            print(f"{f'{name}, lr {rate:g}':34}{cells}", flush=True)
            first.append(means[0])
        ahead &= bool(first[1] > first[0])
    return ahead


def main() -> int:
    """Print both tables; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    print(f"{f'{seeds} supernets, {NETWORKS} networks each':34} {'accuracy, %':>12} {'range':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for start in STARTS:
            folders = [Path(folder) / f"{start}-{seed}" for seed in range(seeds)]
            found = np.array([scored(start, seed, at) for seed, at in enumerate(folders)])
            print(f"{start!s:34} {found.mean():12.1f} {f'{found.min():.0f}-{found.max():.0f}':>10}", flush=True)
        reached, ahead = found.mean() >= LEAST, print_training(folders)
    missed = [*([] if reached else [f"{LEAST:g} %"]), *([] if ahead else ["ahead after one epoch"])]
    print("\n" + (f"MISSED: {', '.join(missed)}" if missed else "every goal is met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
