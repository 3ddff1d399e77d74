"""NSGA-II (Deb et al., IEEE TEC 2002): tournaments, crossover and mutation of genotypes, in batches of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._novelty import walk_to_new
from search.algorithms._survivors import Survivors


@dataclass
class NSGA2(Algorithm):
    """Breeds by binary tournaments of rank, then crowding distance; parents and children compete for survival.

    A generation ends when `offspring` results have been told, however they were proposed: children are bred from the
    population of that moment. Crossover is uniform; then one decision is mutated with a stated probability. A child
    that was proposed before is mutated until it is new. Violations are compared before scores (constraint domination,
    section VI). Trials that have neither scores nor a violation are passed over.

    Attributes:
      population: the number of survivors, and of random trials at the start.
      offspring: the number of results between two selections; the paper's is `population`.
      crossover: the probability that a child has two parents.
      mutation: the probability that one decision of a child is changed; of a child with a single parent always one is.
    """

    name: ClassVar[str] = "nsga2"
    source: ClassVar[str] = "Deb et al., IEEE TEC 2002"

    population: int = 30
    offspring: int = 10
    crossover: float = 0.9
    mutation: float = 0.5

    def start(self, problem: Problem) -> None:
        """Begin without a population. Raises ValueError for settings out of range."""
        if self.population < 2 or self.offspring < 1:
            raise ValueError(
                f"nsga2 needs population >= 2 and offspring >= 1, got {self.population} and {self.offspring}"
            )
        if not (0 <= self.crossover <= 1 and 0 <= self.mutation <= 1):
            raise ValueError(
                f"nsga2 needs probabilities from 0 to 1, got crossover={self.crossover}, mutation={self.mutation}"
            )
        super().start(problem)
        self._pool = Survivors(problem, initial=self.population, kept=self.population, offspring=self.offspring)

    def _draw(self, count: int) -> np.ndarray:
        if not self._pool.count:
            return self._space.sample(count, self._random)
        first, second = self._parents(count), self._parents(count)
        crossed = self._random.random(count) < self.crossover
        mutated = ~crossed | (self._random.random(count) < self.mutation)
        children = self._space.crossover(first, np.where(crossed[:, None], second, first), self._random)
        children[mutated] = self._space.mutate(children[mutated], self._random)
        return self._bred(walk_to_new(self._space, children, self._seen, self._random), first)

    def _parents(self, count: int) -> np.ndarray:
        """Return the winners of `count` binary tournaments, shape (count, width)."""
        one, two = self._random.integers(self._pool.count, size=(2, count))
        rank, lonely = self._pool.rank, self._pool.crowding
        loses = (rank[two] < rank[one]) | ((rank[two] == rank[one]) & (lonely[two] > lonely[one]))
        winners: np.ndarray = self._pool.genotypes[np.where(loses, two, one)]
        return winners

    def learn(self, results: Results) -> None:
        """Add results to the pool; let the fittest survive whenever a generation is complete."""
        self._pool.learn(results)
