"""Survival of the fittest by generations: the best results so far, to which newcomers are compared in batches."""

from __future__ import annotations

import numpy as np

from search.algorithms._base import Problem, Results
from search.algorithms._fronts import crowding, ranks


class Survivors:
    """The best `kept` of the results so far, by rank, then crowding distance, as they were at the last selection.

    The first selection is among `initial` results; each later one follows `offspring` more, and compares them with the
    survivors. Violations are compared before scores. Trials that have neither scores nor a violation are passed over.

    Attributes:
      genotypes: shape (m, width): the survivors, then what was told since.
      count: how many survivors there are; 0 before the first selection.
      rank: of each survivor, 0 for the best front.
      crowding: of each survivor within its rank.
    """

    def __init__(self, problem: Problem, *, initial: int, kept: int, offspring: int) -> None:
        """Begin without any."""
        self._initial, self._kept, self._offspring = initial, kept, offspring
        self.genotypes = np.zeros((0, problem.space.width), problem.space.dtype)
        self._scores = np.zeros((0, problem.objectives))
        self._violations = np.zeros(0)
        self.count = 0
        self.rank = np.zeros(0, np.int64)
        self.crowding = np.zeros(0)

    def learn(self, results: Results) -> None:
        """Take in results in their order; select whenever a generation is complete."""
        usable = np.isfinite(results.scores).all(axis=1) | (results.violations > 0)
        rows = usable.nonzero()[0]
        while len(rows):
            missing = (self.count + self._offspring if self.count else self._initial) - len(self.genotypes)
            self._add(results, rows[:missing])
            if len(rows) >= missing:
                self._select()
            rows = rows[missing:]

    def _add(self, results: Results, rows: np.ndarray) -> None:
        self.genotypes = np.concatenate([self.genotypes, results.genotypes[rows]])
        self._scores = np.concatenate([self._scores, results.scores[rows]])
        self._violations = np.concatenate([self._violations, results.violations[rows]])

    def _select(self) -> None:
        rank = ranks(self._scores, self._violations)
        lonely = crowding(self._scores, rank)
        order = np.lexsort((-lonely, rank))[: self._kept]
        self.genotypes, self._scores = self.genotypes[order], self._scores[order]
        self._violations = self._violations[order]
        self.count, self.rank = len(order), rank[order]
        self.crowding = crowding(self._scores, self.rank)
