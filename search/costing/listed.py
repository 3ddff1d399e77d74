"""Metrics of a small space's genotypes: one cell for each, filled when it is first asked for."""

from __future__ import annotations

from math import prod

import numpy as np

from search.costing.one_by_one import OneByOne
from spaces.genotype import GenotypeSpace

MOST_CELLS = 1 << 17
"""Spaces whose choices multiply to more are not listed."""


def listable(space: GenotypeSpace) -> bool:
    """Return whether a space has no floats and few enough combinations of choices."""
    return prod(column.cardinality or MOST_CELLS + 1 for column in space.columns) <= MOST_CELLS


class ListedCosts:
    """Metrics of genotypes, remembered by their place in the product of all choices."""

    def __init__(self, space: GenotypeSpace, single: OneByOne) -> None:
        """Take a listable space, and what costs its genotypes one by one."""
        sides = [column.cardinality for column in space.columns]
        self._single = single
        self._strides = np.array([prod(sides[at + 1 :]) for at in range(len(sides))], np.float32)
        self._costs = np.full((prod(sides), single.metrics), np.nan)
        self._filled = np.zeros(prod(sides), bool)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the metrics of genotypes (n, width) in bounds, (n, metrics)."""
        cells = (rows @ self._strides).astype(np.intp)  # single precision holds numbers below 2^24 exactly
        empty = ~self._filled[cells]
        if empty.any():
            new, first = np.unique(cells[empty], return_index=True)
            self._costs[new] = self._single.costs(rows[empty][first])
            self._filled[new] = True
        found: np.ndarray = self._costs[cells]
        return found
