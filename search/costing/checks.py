"""Checks that go on while genotypes are costed from tables: ever fewer of them, each against its operators."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

CHECKED_EVERY = 1.2
"""A genotype is checked against its operators whenever the number of costed ones has grown by this factor."""

AGREEMENT = 1e-9
"""The relative difference beyond which a checked genotype's metrics are taken to be wrong."""


class MiscompiledError(RuntimeError):
    """A genotype whose metrics are not those of its operators."""


class Checks:
    """What compares metrics with those of the operators.

    Attributes:
      costed: how many genotypes it was shown.
    """

    def __init__(self, slow: Callable[[np.ndarray], np.ndarray]) -> None:
        """Take what costs genotypes (n, width) from each one's operators, (n, k)."""
        self.costed, self._slow = 0, slow
        self._next = 1.0
        self._random = np.random.default_rng(0)

    def __call__(self, rows: np.ndarray, costs: np.ndarray) -> None:
        """Look at genotypes (n, width) and what they cost, (n, k); raise MiscompiledError for one that is wrong."""
        self.costed += len(rows)
        if self.costed < self._next or not len(rows):
            return
        self._next = self.costed * CHECKED_EVERY
        index = int(self._random.integers(len(rows)))
        slow = self._slow(rows[index : index + 1])[0]
        if not np.allclose(costs[index], slow, rtol=AGREEMENT, atol=1e-12):
            raise MiscompiledError(
                f"genotype {rows[index].tolist()} costs {slow.tolist()}, not {costs[index].tolist()}"
            )
