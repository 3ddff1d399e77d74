"""An algorithm at work on a part of a space: it sees the open decisions alone, and every trial that is in its part."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._learned import of_part
from search.algorithms._past import rows_of

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace, Part

COMPILED = 64
"""Parts that are kept compiled, at most."""


def seed_of(*numbers: int) -> int:
    """Return a seed that numbers of at least 0 make, each other combination another."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


class Parts:
    """The parts of a space that leave the same decisions open, each compiled once for what the held ones lead to."""

    def __init__(self, space: GenotypeSpace, free: np.ndarray) -> None:
        """Leave the columns `free`, shape (width,), bool, open."""
        self._space = space
        self._free = free
        leading: set[int] = set()
        for index in free.nonzero()[0].tolist():
            while (index := space.columns[index].parent) >= 0:
                leading.add(index)
        self._leading = sorted(index for index in leading if not free[index])
        self._compiled: dict[bytes, Part] = {}

    def at(self, held: np.ndarray) -> Part:
        """Return the part in which the decisions that are not open are as in the row `held`."""
        held = self._space.repair(held[None, :], keep_inactive=True)[0]
        key = held[self._leading].tobytes()
        if key not in self._compiled:
            if len(self._compiled) == COMPILED:
                self._compiled.clear()
            self._compiled[key] = self._space.part(self._free, held)
        return dataclasses.replace(self._compiled[key], held=held)


class PartSearch:
    """An algorithm's search of one part. Genotypes and results are those of the whole space."""

    def __init__(self, algorithm: Algorithm, problem: Problem, part: Part, seed: int) -> None:
        """Start a copy of `algorithm`, which is not started itself, on a part of the problem's space."""
        self.part = part
        self._algorithm = copy.deepcopy(algorithm)
        known = problem.known
        part_known = None if known is None else lambda genotypes: known(part.join(genotypes))
        learnt = of_part(problem.distributions, part)
        self._algorithm.start(Problem(part.space, problem.objectives, seed, part_known, distributions=learnt))

    def take_over(self, proposed: np.ndarray, results: Results) -> None:
        """Begin, knowing what of all that was proposed and told is of this part."""
        self._algorithm.take_over(self._proposed(proposed), self._told(results))

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on from `state`, given all that was proposed and told, of this part or not."""
        self._algorithm.restore(state, self._proposed(proposed), self._told(results))

    def propose(self, count: int) -> np.ndarray:
        """Return up to `count` genotypes of the part that were not proposed; fewer only when no more are left."""
        return self.part.join(self._algorithm.propose(count))

    def learn(self, results: Results) -> None:
        """Take in what of these results is of this part."""
        mine = self._told(results)
        if len(mine.genotypes):
            self._algorithm.learn(mine)

    def _proposed(self, genotypes: np.ndarray) -> np.ndarray:
        return self.part.take(genotypes[self.part.holds(genotypes)])

    def _told(self, results: Results) -> Results:
        mine = rows_of(results, self.part.holds(results.genotypes))
        return Results(self.part.take(mine.genotypes), mine.scores, mine.violations)

    def state(self) -> dict[str, Any]:
        """Return the algorithm's state."""
        return self._algorithm.state()
