"""Stochastic hill climbing (PyGlove's `hill_climb`): a proposal is a mutation of the best so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._fronts import Archive
from search.algorithms._novelty import walk_to_new


@dataclass
class HillClimb(Algorithm):
    """Changes one decision of the best trial; where that has been tried, one more, until the proposal is new.

    Of equal trials the newest is the best, so that plateaus are crossed. With several objectives each proposal mutates
    a random non-dominated trial (SEMO: Laumanns, Thiele and Zitzler, IEEE TEC 2004). Constraint violations are
    compared before scores (Deb's feasibility rule). Trials that have neither scores nor a violation are passed over.

    Attributes:
      initial: how many random trials come first.
    """

    name: ClassVar[str] = "hill_climb"
    source: ClassVar[str] = "PyGlove's hill_climb; several objectives: Laumanns et al., IEEE TEC 2004 (SEMO)"

    initial: int = 1

    def start(self, problem: Problem) -> None:
        """Begin with nothing found. Raises ValueError unless initial >= 1."""
        if self.initial < 1:
            raise ValueError(f"hill_climb needs initial >= 1, got {self.initial}")
        super().start(problem)
        space = problem.space
        self._best = Archive(space.width, space.dtype, problem.objectives, newer_wins=True)

    def _draw(self, count: int) -> np.ndarray:
        if not len(self._best):
            return self._space.sample(count, self._random)
        if len(self._seen) < self.initial:
            return self._space.sample(min(count, self.initial - len(self._seen)), self._random)
        parents = self._best.genotypes[self._random.integers(len(self._best), size=count)]
        children = self._space.mutate(parents, self._random)
        return self._bred(walk_to_new(self._space, children, self._seen, self._random), parents)

    def learn(self, results: Results) -> None:
        """Keep the best of what was found."""
        self._best.learn(results)
