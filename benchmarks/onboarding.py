"""How few networks must be measured on a new device: HELP's task (Lee et al., NeurIPS 2021) on NAS-Bench-201.

    python benchmarks/onboarding.py [--seeds 5]

Each of 20 device settings takes its turn as the new one. Its whole family - the same hardware at any batch - is left
out of the known devices: 1080ti, 2080ti, titanx, titanxp (batch 1, 32, 256 each), essential_ph, gold_6240, pixel3,
raspi4, samsung_a50, samsung_s7, silver_4114, silver_4210r. Spearman's correlation is over all cells that were not
measured; the mean absolute error over those of them whose input and output are connected (two devices do nothing for
the others, and take a thousandth of the time). Nothing is tuned on the device: its few measurements are all that is
used.

Beside it stand, on random cells (mean over seeds): a ridge regression of the edges' operations from scratch, one on the
known devices' first six principal components, and multiply-accumulates alone. The last row is what many measurements
reach: a ridge on single operations, pairs and the known devices, fitted on half of the 15,625 cells. What it lacks is
mostly noise: its errors are like those of the cells measured just before (the last table), which no cell explains.

Needs the data folder `../shared/data` beside the checkout. Ends with 1 where the mean Spearman is below 0.965 from 10
networks or below 0.98 from 20.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware_models.additive_terms import pair_columns, pairs_of, single_columns
from hardware_models.held_out import spearman
from hardware_models.onboarding import knowledge, predict, suggest
from hardware_models.smoothing import smoothed
from hardware_models.space_identity import SpaceIdentity, identity_of
from spaces.genotype import GenotypeSpace
from spaces.nasbench201 import OPERATIONS, live_edges, nasbench201

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SAMPLES = (5, 10, 20, 50)
GOALS = {10: 0.965, 20: 0.98}
BATCHES = ("_1", "_32", "_256")
COMPONENTS = 6


@dataclass(frozen=True, slots=True)
class Cells:
    """All cells in the grid's order: latencies (n, devices), smoothed ones, MACs (n,), which are connected (n,).

    `order` holds them as they stand in the file.
    """

    space: SpaceIdentity
    devices: list[str]
    latencies: np.ndarray
    smooth: np.ndarray
    macs: np.ndarray
    connected: np.ndarray
    order: np.ndarray

    def others(self, device: int) -> list[int]:
        """Return the devices of other families."""
        mine = family(self.devices[device])
        return [index for index, name in enumerate(self.devices) if family(name) != mine]


Method = Callable[[Cells, int, np.ndarray], np.ndarray]
"""Returns a prediction for all cells from a device's latencies on some."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="of methods on random cells")
    seeds = parser.parse_args().seeds
    if not FOLDER.exists():
        print(f"the data folder {FOLDER} is not on this machine")
        return 1
    began, cells = time.process_time(), read()
    print(f"{'':34}{'Spearman':>18}{'mean error':>20}\n{'':34}{'mean':>10}{'worst':>8}{'mean':>12}{'worst':>8}")
    means = {}
    for count in SAMPLES:
        print(f"{count} networks measured")
        for name, method in METHODS.items():
            show(name, [random(cells, method, device, count, seeds) for device in range(len(cells.devices))])
        means[count] = show("this project, suggested networks", [ours(cells, device, count) for device in each(cells)])
    fits = [from_half(cells, device) for device in each(cells)]
    nothing = np.zeros(0, np.int64)
    print(f"{len(cells.macs) // 2} networks measured")
    show("ridge, random networks", [figures(cells, device, nothing, fit) for device, fit in enumerate(fits)])
    show_drift(cells, fits)
    print(f"{time.process_time() - began:.0f} s of CPU")
    return verdict(means)


def each(cells: Cells) -> range:
    return range(len(cells.devices))


def family(device: str) -> str:
    return next((device.removesuffix(batch) for batch in BATCHES if device.endswith(batch)), device)


def read() -> Cells:
    space = identity_of(GenotypeSpace(nasbench201()), "nasbench201")
    latency, facts = table("hw_latency_nasbench201/latency_ms.csv.gz"), table("nasbench201/nasbench201.csv.gz")
    devices = [name for name in next(iter(latency.values())) if not name.startswith("arch")]
    codes = [space.code(row) for row in space.grid()]
    latencies = np.array([[float(latency[code][name]) for name in devices] for code in codes])
    smooth = np.stack([smoothed(column, space.cardinalities) for column in latencies.T], axis=1)
    connected = [bool(live_edges(tuple(OPERATIONS[int(digit)] for digit in code))) for code in codes]
    macs = np.array([float(facts[code]["c10_macs_m"]) for code in codes])
    order = np.argsort([int(latency[code]["arch_index"]) for code in codes])
    return Cells(space, devices, latencies, smooth, macs, np.array(connected), order)


def table(name: str) -> dict[str, dict[str, str]]:
    with gzip.open(FOLDER / name, "rt", encoding="utf-8") as file:
        return {row["arch_code"]: row for row in csv.DictReader(file)}


def ours(cells: Cells, device: int, count: int) -> tuple[float, float]:
    """Return the figures from the networks that `suggest` names; there is no chance in them."""
    known = knowledge(cells.smooth[:, cells.others(device)], cells.space.counts(cells.space.grid()))
    measured = suggest(known, count)
    return figures(cells, device, measured, predict(known, measured, cells.latencies[measured, device]))


def on_random(cells: Cells, device: int, measured: np.ndarray) -> np.ndarray:
    known = knowledge(cells.smooth[:, cells.others(device)], cells.space.counts(cells.space.grid()))
    return predict(known, measured, cells.latencies[measured, device])


def scratch(cells: Cells, device: int, measured: np.ndarray) -> np.ndarray:
    return ridge(single_columns(cells.space, cells.space.grid()), measured, cells.latencies[measured, device], 0.1)


def by_macs(cells: Cells, device: int, measured: np.ndarray) -> np.ndarray:
    return ridge(cells.macs[:, None] / cells.macs.std(), measured, cells.latencies[measured, device], 0.0)


def components(cells: Cells, device: int, measured: np.ndarray) -> np.ndarray:
    logs = np.log(cells.latencies[:, cells.others(device)])
    logs = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    scores = np.linalg.svd(logs, full_matrices=False)[0][:, :COMPONENTS] * np.sqrt(len(logs))
    return np.exp(ridge(scores, measured, np.log(cells.latencies[measured, device]), 1.0))


METHODS: dict[str, Method] = {
    "MACs alone, random networks": by_macs,
    "from scratch, random networks": scratch,
    "ridge on 6 components, random": components,
    "this project, random networks": on_random,
}


def ridge(features: np.ndarray, measured: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """Return predictions for all rows of a fit on some, the intercept not shrunk."""
    mean, level = features[measured].mean(axis=0), targets.mean()
    centred = features[measured] - mean
    gram = centred.T @ centred + penalty * np.eye(features.shape[1])
    return level + (features - mean) @ np.linalg.solve(gram, centred.T @ (targets - level))


def random(cells: Cells, method: Method, device: int, count: int, seeds: int) -> tuple[float, float]:
    found = []
    for seed in range(seeds):
        measured = np.random.default_rng(seed).choice(len(cells.macs), count, replace=False)
        found.append(figures(cells, device, measured, method(cells, device, measured)))
    return tuple(np.mean(found, axis=0).tolist())


def from_half(cells: Cells, device: int) -> np.ndarray:
    """Return predictions by two fits on half of all cells, each for the other half."""
    grid, pairs = cells.space.grid(), pairs_of(cells.space, "all")
    known = cells.latencies[:, cells.others(device)] / cells.latencies.mean(axis=0)[cells.others(device)]
    singles = single_columns(cells.space, grid)
    features = np.concatenate([singles, pair_columns(cells.space, grid, pairs), known], axis=1)
    halves = np.array_split(np.random.default_rng(0).permutation(len(grid)), 2)
    predicted = np.empty(len(grid))
    for half, rest in (halves, halves[::-1]):
        predicted[rest] = ridge(features, half, cells.latencies[half, device], 1.0)[rest]
    return predicted


def show_drift(cells: Cells, fits: list[np.ndarray]) -> None:
    """Print how alike the errors of cells are that stand one after another in the file: 0 without drift."""
    print("rank correlation of a cell's error, predicted from half, with that of the cell before it in the file")
    for device, fit in enumerate(fits):
        errors = (fit - cells.latencies[:, device])[cells.order]
        found = figures(cells, device, np.zeros(0, np.int64), fit)[0]
        alike = spearman(errors[1:], errors[:-1])
        print(f"  {cells.devices[device]:16}{alike:6.2f}   Spearman of the prediction {found:.4f}")


def figures(cells: Cells, device: int, measured: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Return Spearman's correlation and the mean absolute relative error on cells that were not measured."""
    rest = np.ones(len(predicted), bool)
    rest[measured] = False
    truth = cells.latencies[:, device]
    timed = rest & cells.connected
    error = np.abs(predicted[timed] / truth[timed] - 1).mean()
    return spearman(predicted[rest], truth[rest]) or 0.0, float(error)


def show(name: str, found: list[tuple[float, float]]) -> float:
    """Print a line of figures over devices; return the mean correlation."""
    ranks, errors = np.array(found).T
    print(f"  {name:32}{ranks.mean():10.4f}{ranks.min():8.3f}{errors.mean():12.1%}{errors.max():8.1%}", flush=True)
    return float(ranks.mean())


def verdict(means: dict[int, float]) -> int:
    """Return the exit code: 1 where a goal is missed."""
    for count, goal in GOALS.items():
        print(f"goal {goal} from {count} networks: {means[count]:.4f}, {'met' if means[count] >= goal else 'MISSED'}")
    return int(any(means[count] < goal for count, goal in GOALS.items()))


if __name__ == "__main__":
    sys.exit(main())
