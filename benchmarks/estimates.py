"""How well estimates from device sheets rank networks whose latency was measured, beside plain counts.

    python benchmarks/estimates.py [--networks 2500] [--seed 0]

Takes the latencies of NAS-Bench-201 networks on a Raspberry Pi 4 (HW-NAS-Bench: Li et al., ICLR 2021) and on GPUs
(HELP: Lee et al., NeurIPS 2021) from `../shared/data`, which lies beside the checkout and is no part of it. A Kendall
tau is the median of five disjoint samples of the networks, with the least and the largest in brackets; the ratio is
measured by estimated latency. Nothing is fitted; a GPU is given a round 30 microseconds to start a kernel of PyTorch.
Ends with 1 unless the Raspberry Pi's estimate ranks better than MACs do, and is below 95 % of what was measured.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from hardware_models.counts import activations, macs
from hardware_models.device_sheet import device_sheet
from hardware_models.op import Op
from hardware_models.roofline import Roofline
from spaces.nasbench201 import OPERATIONS, NasBench201, live_edges

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SAMPLES = 5
BELOW = 0.95
SETTINGS = {
    "raspi4": Roofline(device_sheet("raspberrypi4")),
    "1080ti_1": Roofline(device_sheet("gtx1080ti"), overhead_us=30.0, fused=False),
    "1080ti_256": Roofline(device_sheet("gtx1080ti"), batch=256, overhead_us=30.0, fused=False),
    "2080ti_256": Roofline(device_sheet("rtx2080ti"), batch=256, overhead_us=30.0, fused=False),
}
"""The estimate for each column of measured latencies."""


def main() -> int:
    settings = arguments()
    rows = measured_rows(settings.networks, np.random.default_rng(settings.seed))
    print(f"{len(rows)} networks; Kendall tau with the measured latency\n")
    print(f"{'measured':12}{'estimated':>24}{'MACs':>24}{'activations':>24}{'ratio':>8}{'below':>8}")
    ranked = {}
    for column, model in SETTINGS.items():
        networks = [operators(row, dead=column != "raspi4") for row in rows]
        truth = np.array([float(row[column]) for row in rows])
        estimate = np.array([next(iter(model(ops).values())) for ops in networks])
        peers = [np.array([count(ops) for ops in networks]) for count in (macs, activations)]
        taus = [kendall(values, truth) for values in (estimate, *peers)]
        below = float((estimate < truth).mean())
        ranked[column] = (np.median(taus[0]), np.median(taus[1]), below)
        texts = "".join(f"{spread(tau):>24}" for tau in taus)
        print(f"{column:12}{texts}{np.median(truth / estimate):8.1f}{below:8.1%}")
    estimated, counted, below = ranked["raspi4"]
    return 0 if estimated > counted and below > BELOW else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def measured_rows(count: int, rng: np.random.Generator) -> list[Mapping[str, str]]:
    """Return the latencies of networks whose input and output are connected, drawn without replacement."""
    with gzip.open(FOLDER / "hw_latency_nasbench201" / "latency_ms.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if live_edges(cell(row).edges)]
    return [rows[index] for index in rng.choice(len(rows), count, replace=False)]


def cell(row: Mapping[str, str]) -> NasBench201:
    return NasBench201(*(OPERATIONS[int(digit)] for digit in row["arch_code"]))


def operators(row: Mapping[str, str], *, dead: bool) -> Sequence[Op]:
    """Return what ran: a compiled graph leaves dead edges out, the benchmark's own PyTorch code runs them."""
    return cell(row).ops(live_only=not dead)


def kendall(values: np.ndarray, truth: np.ndarray) -> list[float]:
    """Return the rank correlation in each of the samples."""
    parts = np.array_split(np.arange(len(truth)), SAMPLES)
    return [float(kendalltau(values[part], truth[part]).statistic) for part in parts]


def spread(taus: Sequence[float]) -> str:
    return f"{np.median(taus):.3f} ({min(taus):.3f} to {max(taus):.3f})"


if __name__ == "__main__":
    sys.exit(main())
