"""Whole widths that meet a budget: rates raised or lowered together, then channels moved one or two at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

TOLERANCE = 0.01
"""The relative difference from the budget at which there is no need to look further."""

HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Budget:
    """What widths shall cost.

    Attributes:
      cost: of widths (n, groups), float64 (n,); it must not fall as they rise.
      amount: in the unit of `cost`.
      full: the units of each group, int64 (groups,).
      least: those that each keeps at least.
      multiple: widths are multiples of this, or a group's full one.
    """

    cost: Callable[[np.ndarray], np.ndarray]
    amount: float
    full: np.ndarray
    least: np.ndarray
    multiple: int = 1

    def widths(self, rates: np.ndarray) -> tuple[int, ...]:
        """Return the whole widths nearest to the budget that are found from rates (groups,).

        One number is added to all rates, so that the cost is just below the budget. Then, while that comes nearer to
        it, one group gains or loses a unit; where the cost is still off by more than 1 %, two groups at once.

        Raises:
          ValueError: where the least widths cost more than the budget by over 1 %.
        """
        least = self._snapped(self.least)
        if self._at(least) > self.amount * (1 + TOLERANCE):
            whole = self._at(self.full)
            raise ValueError(
                f"a share of {self.amount / whole:.3g} of the whole's cost cannot be met: what must stay takes "
                f"{self._at(least) / whole:.3g}"
            )
        below, above = 1.0, -1.0
        for _ in range(HALVINGS):
            middle = (below + above) / 2
            fits = self._at(self._rounded(rates + middle)) <= self.amount
            below, above = (middle, above) if fits else (below, middle)
        best = self._moved(self._rounded(rates + below), _steps(len(rates), 1), 0.0)
        best = self._moved(best, _steps(len(rates), 2), TOLERANCE * self.amount)
        return tuple(best.astype(int).tolist())

    def _at(self, widths: np.ndarray) -> float:
        return float(self.cost(widths[None].astype(float))[0])

    def _rounded(self, rates: np.ndarray) -> np.ndarray:
        return self._snapped(self.full * (1 - rates))

    def _snapped(self, widths: np.ndarray) -> np.ndarray:
        """Return the nearest widths that are allowed, halves up."""
        nearest = np.floor(widths / self.multiple + 0.5) * self.multiple
        least = np.ceil(self.least / self.multiple) * self.multiple
        snapped: np.ndarray = np.clip(nearest, np.minimum(least, self.full), self.full)
        return snapped

    def _moved(self, best: np.ndarray, steps: np.ndarray, enough: float) -> np.ndarray:
        """Return widths that are near enough to the budget, or from which no step comes nearer."""
        gap = abs(self._at(best) - self.amount)
        while gap > enough:
            tried = best + steps * self.multiple
            tried = self._snapped(tried[((tried >= self.least) & (tried <= self.full)).all(1)])
            gaps = np.abs(self.cost(tried) - self.amount)
            if not len(gaps) or gaps.min() >= gap:
                break
            best, gap = tried[gaps.argmin()], float(gaps.min())
        return best


def _steps(groups: int, together: int) -> np.ndarray:
    """Return all ways in which one group, or two, change by one unit each."""
    unit = np.eye(groups)
    if together == 1:
        return np.concatenate([unit, -unit])
    pairs = [(unit[one], unit[other]) for one, other in combinations(range(groups), 2)]
    return np.array([a * one + b * other for one, other in pairs for a in (1, -1) for b in (1, -1)]).reshape(-1, groups)
