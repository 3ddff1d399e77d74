"""Networks that gradient searches find, against random ones of equal latency, and random search of equal CPU time.

    python benchmarks/found_networks.py [--seeds 5] [--short] [--data ../shared/data/images_cifar10] [--out runs.jsonl]

The space is ProxylessNAS', a quarter as wide and half as deep, for images of 16x16: the digits, each pixel doubled, and
the CIFAR-10 subset of the data folder at half its side. Latencies are estimates for a Raspberry Pi 4 from its sheet
(`hardware_models/roofline.py`), which are the same everywhere. A search is given the latency that a quarter of random
networks stay below; its most probable network within it is trained from scratch, and its latency is L.

Random search then draws networks of .9 L to L and trains each alike, until it has used the CPU time of the search and
of its network's training together; the last one may end later. It keeps the best by validation. What is told is the
accuracy on test images that nothing was chosen by: of the found network, of random ones on average, and of the best.

Accuracies are reported as they come out: the one goal is that found networks keep the latency. Needs scikit-learn, and
some 15 CPU minutes; `--short` is one seed of the digits with few epochs, half a minute.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from search_runs import Run, completed, mean_and_error
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from evaluators._base import Task
from evaluators._preparation import Costs, Job
from evaluators._supernet_search import SupernetSearch
from evaluators.datasets import Dataset, EnlargedDigits, Images, JpegArchives, Part, load
from evaluators.fbnet_dnas import FBNetDNAS
from evaluators.proxylessnas_search import ProxylessNASSearch
from evaluators.train import Train
from hardware_models.device_sheet import device_sheet
from hardware_models.roofline import Roofline
from search.algorithms._constrained_decoding import most_probable
from search.algorithms._learned import Budget
from search.costing.additive import AdditiveCosts, additive_costs
from search.known_metrics import KnownMetrics
from spaces.genotype import GenotypeSpace
from spaces.proxylessnas import proxylessnas

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "images_cifar10"
COST = "latency_ms@raspberrypi4-estimated"
QUANTILE = 0.25
"""The share of random networks that are below the latency that a search is given."""

ALIKE = 0.9
"""Random networks have at least this share of the found one's latency."""


@dataclass(frozen=True)
class Halved:
    """A data set of pixels at half its side: each is the mean of four."""

    source: Dataset

    def __call__(self) -> Images:
        """Return the data set."""
        images = load(self.source)
        return Images(images.classes, *(self._halved(part) for part in (images.train, images.val, images.test)))

    @staticmethod
    def _halved(part: Part) -> Part:
        pixels = functional.avg_pool2d(part.images.float(), 2).round().byte()
        return Part(pixels, part.labels, part.normalisation)


@dataclass(frozen=True, slots=True)
class Setting:
    """A data set, and how long networks are trained on it and searches run."""

    dataset: Dataset
    epochs: int
    dnas: FBNetDNAS
    proxylessnas: ProxylessNASSearch

    @property
    def searches(self) -> dict[str, SupernetSearch]:
        """The searches by name."""
        return {"FBNet DNAS": self.dnas, "ProxylessNAS": self.proxylessnas}


def settings(folder: Path, *, short: bool) -> dict[str, Setting]:
    """Return the settings by the data set's name; without CIFAR-10 where its files are not there."""
    dnas = FBNetDNAS(cost=COST, epochs=3 if short else 12, logits_lr=0.15)
    half = 2 if short else 12
    two_path = ProxylessNASSearch(
        cost=COST, reference=1.0, latency_loss="distance", epochs=half, warmup=half, warmup_lr=0.02, lr=0.02, batch=32,
        share=0.2, every=3, logits_lr=0.05, alike=True,
    )  # fmt: skip
    found = {"digits": Setting(EnlargedDigits(2), 2 if short else 10, dnas, two_path)}
    train, test = folder / "cifar10_train_12k.npz", folder / "cifar10_val_4k.npz"
    if not short and train.is_file():
        found["CIFAR-10"] = Setting(Halved(JpegArchives(train, test, val=1000, limit=1000)), 10, dnas, two_path)
    return found


@cache
def space_and_costs() -> tuple[GenotypeSpace, AdditiveCosts, float]:
    """Return the space, its networks' latencies in ms, and the one that searches are given."""
    space = GenotypeSpace(
        proxylessnas(width=0.25, resolution=16, classes=10, strides=(1, 2, 2, 1, 1, 1), depths=(2, 2, 2, 1, 1, 1))
    )
    costs = additive_costs(space, KnownMetrics(space, [Roofline(device_sheet("raspberrypi4"))]), COST)
    return space, costs, float(np.quantile(costs(space.sample(10_000, np.random.default_rng(0))), QUANTILE))


def trained(setting: Setting, genotype: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the accuracy in percent of a network on validation and on test images, trained from scratch."""
    train = Train(setting.dataset, epochs=setting.epochs, test=True, device="cpu")
    *_, last = train(Task(space_and_costs()[0], genotype, seed=seed))
    return last["accuracy"], last["test_accuracy"]


def searched(search: SupernetSearch, seed: int, folder: Path) -> np.ndarray:
    """Return the most probable network within the latency after a search, which works in `folder`."""
    space, of, budget_ms = space_and_costs()
    costs = Costs(of.metric, of.constant, of.terms)
    list(search(Job(space, folder, costs, seed)))
    learned = search.distributions(folder)[""]
    row: np.ndarray = most_probable(space, learned, 1, Budget(costs.constant, costs.terms, budget_ms)).genotypes[0]
    return row


def alike(latency_ms: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield random networks of about a latency, each once."""
    space, costs, _ = space_and_costs()
    seen = set()
    while True:
        for row in space.sample(1000, rng):
            if ALIKE * latency_ms <= costs(row[None])[0] <= latency_ms and row.tobytes() not in seen:
                seen.add(row.tobytes())
                yield row


def run(of: dict[str, Setting], dataset: str, method: str, seed: int) -> Run:
    """Search, train what is found, and give random search as much CPU time.

    `found` of the result: the found network's latency by that it was given; test accuracies of the found network, of
    random ones on average, and of the best of them by validation; how many random ones.
    """
    setting = of[dataset]
    _, costs, budget_ms = space_and_costs()
    load(setting.dataset)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        genotype = searched(_aimed(setting.searches[method], setting.dataset, budget_ms), seed, Path(folder))
    test = trained(setting, genotype, seed)[1]
    spent = time.process_time() - began
    latency_ms = float(costs(genotype[None])[0])
    random: list[tuple[float, float]] = []
    began = time.process_time()
    for number, row in enumerate(alike(latency_ms, np.random.default_rng(seed))):
        random.append(trained(setting, row, 1000 * (seed + 1) + number))
        if time.process_time() - began >= spent:
            break
    found = [latency_ms / budget_ms, test, float(np.mean([tests for _, tests in random])), max(random)[1], len(random)]
    return Run(dataset, method, seed, found, spent)


def _aimed(search: SupernetSearch, dataset: Dataset, budget_ms: float) -> SupernetSearch:
    aim: dict[str, Any] = {"target": budget_ms} if isinstance(search, FBNetDNAS) else {"reference": budget_ms}
    return replace(search, dataset=dataset, device="cpu", **aim)


def report(runs: list[Run]) -> None:
    """Print a line for each data set and method: means over seeds, and standard errors."""
    columns = ("found", "random, mean", "random search", "found - mean", "found - search")
    names = " ".join(f"{name:>14}" for name in columns)
    print(f"{'test accuracy, %, mean +- SE':28} {'latency':>9} {names} {'networks':>8} {'CPU s':>6}")
    for name in dict.fromkeys((one.task, one.method) for one in runs):
        these = [one for one in runs if (one.task, one.method) == name]
        used, found, mean, best, count = np.array([one.found for one in these]).T
        cells = _cells([found, mean, best, found - mean, found - best])
        seconds = np.mean([one.cpu_s for one in these])
        print(f"{', '.join(name):28} {used.min():4.2f}-{used.max():4.2f} {cells} {count.mean():8.1f} {seconds:6.0f}")


def _cells(columns: list[np.ndarray]) -> str:
    means, errors = mean_and_error(np.array(columns).T)
    return " ".join(f"{f'{mean:.1f} +- {error:.1f}':>14}" for mean, error in zip(means, errors, strict=True))


def main() -> int:
    """Print the table; return 1 where a found network is beyond its latency."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="one seed of the digits, few epochs")
    parser.add_argument("--data", type=Path, default=FOLDER, help="the folder of the CIFAR-10 archives")
    parser.add_argument("--out", type=Path, help="where finished runs are kept, to go on from")
    options = parser.parse_args()
    of = settings(options.data, short=options.short)
    if "CIFAR-10" not in of and not options.short:
        print(f"no CIFAR-10 archives in {options.data}: the digits alone")
    seeds = range(1 if options.short else options.seeds)
    wanted = [(name, method, seed) for seed in seeds for name, each in of.items() for method in each.searches]
    make: Callable[[str, str, int], Run] = partial(run, of)
    runs = completed(wanted, make, 1, options.out)
    report(sorted(runs, key=lambda one: one.task, reverse=True))
    beyond = [one for one in runs if one.found[0] > 1 + 1e-9]
    print("\n" + ("\n".join(f"MISSED: {one} is beyond its latency" for one in beyond) or "every goal is met"))
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
