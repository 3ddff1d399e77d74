"""All that an algorithm has proposed and been told, in order, for parts of it to be looked up later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from search.algorithms._base import Results

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace


def no_results(space: GenotypeSpace, objectives: int) -> Results:
    """Return the results of no trials."""
    return Results(np.zeros((0, space.width), space.dtype), np.zeros((0, objectives)), np.zeros(0))


def joined(parts: Iterable[Results]) -> Results:
    """Return results one after another; `parts` are at least one."""
    parts = tuple(parts)
    if len(parts) == 1:
        return parts[0]
    return Results(
        np.concatenate([part.genotypes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.violations for part in parts]),
    )


def rows_of(results: Results, rows: np.ndarray | list[int]) -> Results:
    """Return some rows of results."""
    return Results(results.genotypes[rows], results.scores[rows], results.violations[rows])


class Past:
    """Grows by batches, at a cost that does not depend on what there is already; to read it takes one pass."""

    def __init__(self, space: GenotypeSpace, objectives: int) -> None:
        """Begin empty."""
        none = no_results(space, objectives)
        self._proposed, self._told = [none.genotypes], [none]

    def propose(self, genotypes: np.ndarray) -> None:
        """Add proposals (n, width)."""
        self._proposed.append(genotypes)

    def learn(self, results: Results) -> None:
        """Add results."""
        self._told.append(results)

    @property
    def proposed(self) -> np.ndarray:
        """All proposals, shape (n, width)."""
        self._proposed = [np.concatenate(self._proposed)]
        return self._proposed[0]

    @property
    def told(self) -> Results:
        """All results, as told."""
        self._told = [joined(self._told)]
        return self._told[0]
