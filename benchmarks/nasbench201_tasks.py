"""Three searches of NAS-Bench-201 with latencies of real devices, and how far each has come after some evaluations.

The data folder `../shared/data` lies beside the checkout and is no part of it.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"
PLACES = 5 ** np.arange(5, -1, -1)
"""What the six digits of a cell's code count: a cell's rank is its code read as a number to base 5."""

CELLS = 5**6
POINTS = 10.0
"""How far below the best accuracy the reference of the hypervolume lies, in points."""

QUANTILE = 0.2
"""The latency cap: as many of all cells are as fast as this."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is searched for.

    Attributes:
      kind: `multi` (accuracy and latency), `single` (accuracy) or `capped` (accuracy where latency is within the cap).
      dataset: `c10` or `c100`.
      device: a column of the latency table.
      accuracy: validation accuracy in percent after 200 epochs by rank, shape (15625,).
      latency_ms: shape (15625,).
    """

    kind: str
    dataset: str
    device: str
    accuracy: np.ndarray
    latency_ms: np.ndarray

    @property
    def cap_ms(self) -> float:
        """The largest latency allowed."""
        return float(np.quantile(self.latency_ms, QUANTILE))

    def measure(self, proposed: np.ndarray, counts: tuple[int, ...]) -> list[float]:
        """Return how far the first so many proposed cells have come, for each count; NaN where there are fewer.

        Multi: the hypervolume as a part of the true front's, with the reference 10 points below the best accuracy and
        10 % above the front's largest latency. Else: the points of accuracy that the best (within the cap) is ahead.
        """
        return [self._measure(proposed[:count]) if len(proposed) >= count else np.nan for count in counts]

    def _measure(self, proposed: np.ndarray) -> float:
        if self.kind == "multi":
            every = np.arange(CELLS)
            latest = self.latency_ms[_front(self.accuracy, self.latency_ms)].max() * 1.1
            return self._volume(proposed, latest) / self._volume(every, latest)
        allowed = self.latency_ms <= self.cap_ms if self.kind == "capped" else np.ones(CELLS, bool)
        found = self.accuracy[proposed[allowed[proposed]]]
        return float(self.accuracy[allowed].max() - found.max(initial=0.0))

    def _volume(self, cells: np.ndarray, latest: float) -> float:
        accuracy, latency_ms = self.accuracy[cells], self.latency_ms[cells]
        front = _front(accuracy, latency_ms)
        height = accuracy[front] - (self.accuracy.max() - POINTS)
        steps = np.diff(np.maximum(height, 0.0), prepend=0.0)
        return float((steps * np.maximum(latest - latency_ms[front], 0.0)).sum())


def _front(accuracy: np.ndarray, latency_ms: np.ndarray) -> np.ndarray:
    """Return the cells that none beats in both, from the fastest on."""
    order = np.lexsort((-accuracy, latency_ms))
    best = np.maximum.accumulate(accuracy[order])
    return order[np.append(True, best[1:] > best[:-1])]


def ranks(cells: np.ndarray) -> np.ndarray:
    """Return the ranks of cells given as rows of six digits."""
    found: np.ndarray = cells.astype(np.int64) @ PLACES
    return found


@cache
def task(kind: str, dataset: str, device: str) -> Task:
    """Return a task. Raises FileNotFoundError, saying what is missing, where there are no data."""
    accuracy = _column("nasbench201/nasbench201.csv.gz", f"{dataset}_val_acc_200ep")
    return Task(kind, dataset, device, accuracy, _column("hw_latency_nasbench201/latency_ms.csv.gz", device))


@cache
def _column(name: str, column: str) -> np.ndarray:
    values = np.full(CELLS, np.nan)
    with gzip.open(FOLDER / name, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            values[int(row["arch_code"], 5)] = float(row[column])
    return values
