"""A search of a finite space whose every candidate has been evaluated, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class TabularTask:
    """What is searched for. A candidate's rank is its genotype read as one number, the first decision counting most.

    Attributes:
      kind: `multi` (quality and cost), `single` (quality) or `capped` (quality where the cost is within the cap).
      space: returns the symbolic space.
      shape: the number of choices of each decision.
      quality: by rank, larger is better, shape (candidates,).
      cost: by rank, smaller is better, shape (candidates,); None where kind is `single`.
      cap: the largest cost that is allowed.
      ordered: the decisions whose choices are numbers in order.
      points: how far below the best quality the reference of the hypervolume lies.
      unit: what a regret is divided by.
    """

    kind: str
    space: Callable[[], Any]
    shape: tuple[int, ...]
    quality: np.ndarray
    cost: np.ndarray | None = None
    cap: float = np.inf
    ordered: frozenset[int] = frozenset()
    points: float = 10.0
    unit: float = 1.0

    @property
    def objectives(self) -> int:
        """The number of objectives."""
        return 2 if self.kind == "multi" else 1

    @property
    def costs(self) -> np.ndarray:
        """The cost of each candidate, shape (candidates,). Raises ValueError where there is none."""
        if self.cost is None:
            raise ValueError(f"a task of kind {self.kind!r} has no cost; make it 'single' or give one")
        return self.cost

    def ranks(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the ranks of genotypes (n, width), shape (n,)."""
        return np.ravel_multi_index(tuple(genotypes.T.astype(np.intp)), self.shape)

    def measure(self, proposed: np.ndarray, counts: tuple[int, ...]) -> list[float]:
        """Return how far the first so many proposed ranks have come, for each count; NaN where there are fewer.

        Multi: the hypervolume as a part of the true front's, with the reference `points` below the best quality and
        10 % above the front's largest cost. Else the regret: how far the best (within the cap) is ahead, in `unit`.
        """
        return [self._measure(proposed[:count]) if len(proposed) >= count else np.nan for count in counts]

    def _measure(self, proposed: np.ndarray) -> float:
        if self.kind == "multi":
            every = np.arange(len(self.quality))
            largest = self.costs[_front(self.quality, self.costs)].max() * 1.1
            return self._volume(proposed, largest) / self._volume(every, largest)
        allowed = self.costs <= self.cap if self.kind == "capped" else np.ones(len(self.quality), bool)
        found = self.quality[proposed[allowed[proposed]]]
        worst = float(self.quality.min())
        return float(self.quality[allowed].max() - found.max(initial=worst)) / self.unit

    def _volume(self, ranks: np.ndarray, largest: float) -> float:
        quality, cost = self.quality[ranks], self.costs[ranks]
        front = _front(quality, cost)
        height = quality[front] - (self.quality.max() - self.points)
        steps = np.diff(np.maximum(height, 0.0), prepend=0.0)
        return float((steps * np.maximum(largest - cost[front], 0.0)).sum())


def _front(quality: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return those that none beats in both, from the cheapest on."""
    order = np.lexsort((-quality, cost))
    best = np.maximum.accumulate(quality[order])
    return order[np.append(True, best[1:] > best[:-1])]
