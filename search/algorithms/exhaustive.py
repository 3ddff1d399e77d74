"""Exhaustive search: every genotype of a finite space once, in the space's own order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._supports import Supports


@dataclass
class Exhaustive(Algorithm):
    """Lists the space in order. Refuses a space with open floats, which has no end."""

    name: ClassVar[str] = "exhaustive"
    source: ClassVar[str] = "enumeration"
    supports: ClassVar[Supports] = Supports(constraints="known", floats=False)

    def start(self, problem: Problem) -> None:
        """Begin at the first genotype. Raises ValueError for a space with open floats."""
        super().start(problem)
        self._next = 0

    def _draw(self, count: int) -> np.ndarray:
        known = self._problem.known
        while True:
            count = min(count, (self._space.size or 0) - self._next)
            genotypes = self._space.enumerate(self._next, count)
            self._next += count
            if known is None or not count or (known(genotypes)[1] <= 0).any():
                return genotypes

    def _remaining(self) -> np.ndarray:
        return self._space.enumerate(0, 0)

    def state(self) -> dict[str, Any]:
        """Return how far the listing has come."""
        return {**super().state(), "next": self._next}

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on where the listing stopped."""
        super().restore(state, proposed, results)
        self._next = state["next"]
