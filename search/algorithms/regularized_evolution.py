"""Regularized evolution (Real et al., AAAI 2019): algorithm 1, a tournament, one mutation, the oldest dies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results


@dataclass
class RegularizedEvolution(Algorithm):
    """Keeps the last `population` results; a proposal is a mutated winner of a tournament of `tournament` of them.

    With several objectives (our extension) each tournament draws weights uniformly from the simplex and is won by the
    best weighted Chebyshev distance to the population's best values, so that the whole front is bred from.
    Constraint violations are compared before scores (Deb's feasibility rule). Trials without a result never breed.
    """

    name: ClassVar[str] = "regularized_evolution"
    source: ClassVar[str] = "Real et al., AAAI 2019, algorithm 1"

    population: int = 100
    tournament: int = 25

    def start(self, problem: Problem) -> None:
        """Begin with an empty population. Raises ValueError for settings outside 1 <= tournament <= population."""
        if not 1 <= self.tournament <= self.population:
            raise ValueError(
                f"regularized_evolution needs 1 <= tournament <= population, "
                f"got tournament={self.tournament}, population={self.population}"
            )
        super().start(problem)
        self._born = 0
        self._genotypes = np.zeros((self.population, problem.space.width), problem.space.dtype)
        self._scores = np.zeros((self.population, problem.objectives))
        self._violations = np.zeros(self.population)
        self._violated = False

    def _draw(self, count: int) -> np.ndarray:
        if self._born < self.population:
            return self._space.sample(count, self._random)
        entrants = self._random.integers(self.population, size=(count, self.tournament))
        fitness = self._fitness(entrants)
        winners = entrants[np.arange(count), fitness.argmax(axis=1)]
        parents = self._genotypes[winners]
        return self._bred(self._space.mutate(parents, self._random), parents)

    def _fitness(self, entrants: np.ndarray) -> np.ndarray:
        """Return a number to rank each tournament's entrants by, shape (tournaments, entrants), larger is better."""
        if self._scores.shape[1] == 1:
            fitness: np.ndarray = self._scores[entrants, 0]
        else:
            low, high = self._scores.min(axis=0), self._scores.max(axis=0)
            gaps = (high - self._scores) / np.where(high > low, high - low, 1.0)
            weights = self._random.dirichlet(np.ones(gaps.shape[1]), size=len(entrants))
            fitness = -(weights[:, None, :] * gaps[entrants]).max(axis=2)
        if self._violated:
            worst = self._violations[entrants]
            span = fitness.max() - fitness.min() + 1.0
            fitness = np.where(worst > 0, fitness.min() - span * (1.0 + worst), fitness)
        return fitness

    def learn(self, results: Results) -> None:
        """Let each result that has scores take the place of the oldest."""
        usable = np.isfinite(results.scores).all(axis=1).nonzero()[0]
        self._born += max(0, len(usable) - self.population)  # these would be born and die at once
        for row in usable[-self.population :].tolist():
            slot = self._born % self.population
            self._genotypes[slot] = results.genotypes[row]
            self._scores[slot] = results.scores[row]
            self._violations[slot] = results.violations[row]
            self._violated = self._violated or results.violations[row] > 0
            self._born += 1
