"""Three searches of NAS-Bench-201 with latencies of real devices.

The data folder `../shared/data` lies beside the checkout and is no part of it.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from tabular_task import TabularTask

from spaces.nasbench201 import nasbench201

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SHAPE = (5,) * 6
QUANTILE = 0.2
"""The latency cap: as many of all cells are as fast as this."""


@dataclass(frozen=True, slots=True)
class Task(TabularTask):
    """Validation accuracy in percent after 200 epochs, and a device's latency; a cell's rank is its six-digit code."""

    @property
    def latency_ms(self) -> np.ndarray:
        """By rank, shape (15625,)."""
        return self.costs

    @property
    def cap_ms(self) -> float:
        """The largest latency allowed."""
        return self.cap


@cache
def task(kind: str, dataset: str, device: str) -> Task:
    """Return a task of a `kind` on `c10` or `c100` and a column of the latency table.

    Raises FileNotFoundError, saying what is missing, where there are no data.
    """
    accuracy = _column("nasbench201/nasbench201.csv.gz", f"{dataset}_val_acc_200ep")
    latency_ms = _column("hw_latency_nasbench201/latency_ms.csv.gz", device)
    return Task(kind, nasbench201, SHAPE, accuracy, latency_ms, float(np.quantile(latency_ms, QUANTILE)))


@cache
def _column(name: str, column: str) -> np.ndarray:
    values = np.full(int(np.prod(SHAPE)), np.nan)
    with gzip.open(FOLDER / name, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            values[int(row["arch_code"], 5)] = float(row[column])
    return values
