"""Separate search of two parts of a space (Peng et al., NeurIPS 2020, search flows): one, then the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._decisions import genotype_of, named
from search.algorithms._fronts import Archive
from search.algorithms._part_search import Parts, PartSearch, seed_of
from search.algorithms._past import Past, no_results
from search.algorithms.registry import algorithm_of


@dataclass
class Separate(Algorithm):
    """Searches the first part of the decisions with the others at their defaults, then the others with the best first.

    A part is searched until `trials` results of it are in, so that twice as many trials are the paper's flow. Further
    trials go on in turns (our extension), each part with the other as in the best trial; a part of which nothing is
    left is passed over, and when that is true of both, a turn begins at a random genotype. Of several objectives any
    trial of the front may be the best. What a part's algorithm knows at the beginning of its turn are all trials that
    lie in it. It resumes as exactly as that algorithm does.

    Attributes:
      first: the decisions that are searched first, by the beginnings of their names (`*` is any text); () for the
        first half of the space.
      trials: results a turn.
      algorithm: that of each part: a name, a mapping with `name` and settings, or an instance.
      default: values of decisions by their names, for those that the first turn holds; of one that is not named, the
        first choice or the middle of a float's scale.
    """

    name: ClassVar[str] = "separate"
    source: ClassVar[str] = "Peng et al., NeurIPS 2020, search flows"

    first: str | Sequence[str] = ()
    trials: int = 50
    algorithm: Any = "hill_climb"
    default: Mapping[str, Any] = field(default_factory=dict)

    @property
    def learning_changes_state(self) -> bool:
        """Whether it is true of the parts' algorithm."""
        return algorithm_of(self.algorithm).learning_changes_state

    @property
    def settings(self) -> dict[str, Any]:
        """The algorithm's name and settings, those of the parts' algorithm among them."""
        own = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        inner = algorithm_of(self.algorithm).settings
        return {"name": self.name, **own, "algorithm": inner, "default": dict(self.default)}

    def start(self, problem: Problem) -> None:
        """Begin the first turn.

        Raises ValueError for unknown decisions and values, for trials < 1, and where a part's algorithm does.
        """
        if self.trials < 1:
            raise ValueError(f"separate needs trials >= 1, got {self.trials}")
        self._inner = algorithm_of(self.algorithm)
        super().start(problem)
        space = problem.space
        first = named(space, self.first)
        self._parts = (Parts(space, first), Parts(space, ~first))
        self._past = Past(space, problem.objectives)
        self._best = Archive(space.width, space.dtype, problem.objectives)
        self._default = genotype_of(space, self.default)
        for turn in (1, 0):  # an algorithm that refuses the second part does so now
            self._enter(turn, self._default)

    def _enter(self, turn: int, held: np.ndarray) -> None:
        """Begin a turn; `held` is a row whose values the other part keeps."""
        self._turn, self._held, self._begun = turn, held, len(self._seen)
        self._outstanding: set[bytes] = set()
        self._told = 0
        part = self._parts[turn % 2].at(held)
        self._search = PartSearch(self._inner, self._problem, part, seed_of(self._problem.seed, turn))

    def _next_turn(self, genotype: np.ndarray) -> None:
        """Search the other part, with what is active of the first in a genotype, and the rest at its default."""
        active = self._space.active(genotype[None, :])[0]
        self._enter(self._turn + 1, np.where(active, genotype, self._default))
        self._search.take_over(self._past.proposed, self._past.told)

    def _best_so_far(self) -> np.ndarray:
        if not len(self._best):
            return self._default
        chosen: np.ndarray = self._best.genotypes[self._random.integers(len(self._best))]
        return chosen

    def _draw(self, count: int) -> np.ndarray:
        if self._told >= self.trials:
            self._next_turn(self._best_so_far())
        rows = self._search.propose(count)
        if not len(rows):
            self._next_turn(self._best_so_far())
            rows = self._search.propose(count)
        if not len(rows) and (elsewhere := self._random_fresh(())) is not None:
            self._next_turn(elsewhere)
            rows = self._search.propose(count)
        return rows

    def _accept(self, genotypes: np.ndarray, limit: int) -> np.ndarray:
        accepted = super()._accept(genotypes, limit)
        self._past.propose(accepted)
        self._outstanding.update(self._space.keys(accepted))
        return accepted

    def learn(self, results: Results) -> None:
        """Let the turn's search know of what lies in its part, and count what was proposed in it."""
        self._past.learn(results)
        self._best.learn(results)
        self._search.learn(results)
        self._count(results)

    def _count(self, results: Results) -> None:
        keys = self._outstanding.intersection(self._space.keys(results.genotypes))
        self._outstanding -= keys
        self._told += len(keys)

    def state(self) -> dict[str, Any]:
        """Return also the turn, what it holds, where it began among the proposals, and its search's state."""
        return {
            **super().state(),
            "turn": self._turn,
            "held": self._held.tolist(),
            "begun": self._begun,
            "search": self._search.state(),
        }

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on with the same turn."""
        self._enter(state["turn"], np.array(state["held"], self._space.dtype))
        self._begun = state["begun"]
        self._outstanding = set(self._space.keys(proposed[self._begun :]))
        self._past.propose(proposed)
        self._past.learn(results)
        self._best.learn(results)
        self._count(results)
        self._search.restore(state["search"], proposed, results)
        super().restore(state, proposed, no_results(self._space, self._problem.objectives))
