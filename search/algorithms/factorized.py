"""Factorized search (Peng et al., NeurIPS 2020, search flows): an inner search for each outer candidate."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._decisions import check_whole, genotype_of, named
from search.algorithms._fronts import Archive
from search.algorithms._outer_loop import OuterLoop
from search.algorithms._part_search import Parts, PartSearch, seed_of
from search.algorithms._past import Past, no_results
from search.algorithms.registry import algorithm_of

TRIED = 32
"""Random inner candidates, of which one must meet the known constraints for an outer candidate to be proposed."""

DEAD_ENDS = 16
"""Outer candidates in a row whose inner search finds nothing feasible, after which the nested search is given up."""


@dataclass
class Factorized(Algorithm):
    """Proposes outer candidates; each is worth the best of the `trials` that a search of the other decisions finds.

    The inner search is new for every outer candidate, which is searched once. While results of one are outstanding the
    next is begun, so that any number of workers has something to do; outer candidates are learnt from in the order in
    which they were begun, each when all its trials are told; with several objectives, from all of its own front.
    After `joint_after` trials (the paper's hybrid flow), or when there are no more outer candidates, the whole space
    is searched as one, from the trials that there are. It resumes as exactly as the algorithms in it do.

    Attributes:
      outer: the decisions of the outer loop, by the beginnings of their names (`*` is any text); () for the first half
        of the space. What they hang on must be among them.
      trials: of each inner search; it has fewer only where there are no more.
      algorithm: that of the outer loop, and of the joint search: a name, a mapping with `name` and settings, or an
        instance.
      inner_algorithm: likewise; None for the same.
      warm_start: whether an inner search begins with the inner decisions of the best trial so far (our extension).
      joint_after: the trials after which the whole space is searched as one; None for never.
    """

    name: ClassVar[str] = "factorized"
    source: ClassVar[str] = "Peng et al., NeurIPS 2020, search flows"

    outer: str | Sequence[str] = ()
    trials: int = 10
    algorithm: Any = "hill_climb"
    inner_algorithm: Any = None
    warm_start: bool = False
    joint_after: int | None = None

    @property
    def learning_changes_state(self) -> bool:
        """Whether it is true of an algorithm in it."""
        inside = (self.algorithm, self.inner_algorithm or self.algorithm)
        return any(algorithm_of(one).learning_changes_state for one in inside)

    @property
    def settings(self) -> dict[str, Any]:
        """The algorithm's name and settings, those of the algorithms in it among them."""
        own = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        inner = None if self.inner_algorithm is None else algorithm_of(self.inner_algorithm).settings
        return {"name": self.name, **own, "algorithm": algorithm_of(self.algorithm).settings, "inner_algorithm": inner}

    def start(self, problem: Problem) -> None:
        """Begin the outer loop.

        Raises ValueError for unknown or dependent decisions, for trials < 1, and where an algorithm of a part does.
        """
        if self.trials < 1:
            raise ValueError(f"factorized needs trials >= 1, got {self.trials}")
        self._algorithm = algorithm_of(self.algorithm)
        self._inner = self._algorithm if self.inner_algorithm is None else algorithm_of(self.inner_algorithm)
        space, outer = problem.space, named(problem.space, self.outer)
        check_whole(space, outer)
        super().start(problem)
        self._past = Past(space, problem.objectives)
        self._best = Archive(space.width, space.dtype, problem.objectives)
        self._outer_part = space.part(outer, genotype_of(space, {}))
        self._inner_parts = Parts(space, ~outer)
        self._begin_inner(self._outer_part.held, 0)  # an algorithm that refuses the inner part does so now
        known = None if problem.known is None else self._known_of_outer
        self._loop = OuterLoop(self._algorithm, problem, self._outer_part, seed_of(problem.seed, 0), known)
        self._search: PartSearch | None = None
        self._joint: Algorithm | None = None

    def _known_of_outer(self, genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return no scores, and the least violation that some inner candidates have with each outer one."""
        unknown = np.full((len(genotypes), self._problem.objectives), np.nan)
        if self._problem.known is None or not len(genotypes):
            return unknown, np.zeros(len(genotypes))
        seed = self._problem.seed
        parts = [self._inner_parts.at(row) for row in self._outer_part.join(genotypes)]
        rows = [part.join(part.space.sample(TRIED, np.random.default_rng(seed))) for part in parts]
        violations = self._problem.known(np.concatenate(rows))[1]
        return unknown, violations.reshape(len(genotypes), TRIED).min(axis=1)

    def _draw(self, count: int) -> np.ndarray:
        if self._joint is None and (self.joint_after is None or len(self._seen) < self.joint_after):
            rows = self._nested(count)
            if len(rows):
                return rows
        if self._joint is None:
            self._search = None
            self._joint = self._begin_joint()
            self._joint.take_over(self._past.proposed, self._past.told)
        return self._joint.propose(count)

    def _nested(self, count: int) -> np.ndarray:
        """Return trials of the outer candidate that is open, else of the next; none when there are no more."""
        for _ in range(DEAD_ENDS):
            if self._search is not None and self._loop.trials < self.trials:
                rows = self._search.propose(min(count, self.trials - self._loop.trials))
                if len(rows):
                    return rows
            outer = self._loop.open_next()
            if outer is None:
                break
            self._search = self._begin_inner(outer, len(self._seen))
            rows = self._warm(self._search)
            if len(rows):
                return rows
        return np.zeros((0, self._space.width), self._space.dtype)

    def _begin_inner(self, outer: np.ndarray, begun: int) -> PartSearch:
        """Return the search of what a row leaves open; `begun` is how many genotypes had been proposed before it."""
        return PartSearch(
            self._inner, self._problem, self._inner_parts.at(outer), seed_of(self._problem.seed, 1, begun)
        )

    def _begin_joint(self) -> Algorithm:
        joint = copy.deepcopy(self._algorithm)
        joint.start(dataclasses.replace(self._problem, seed=seed_of(self._problem.seed, 2)))
        return joint

    def _warm(self, search: PartSearch) -> np.ndarray:
        """Return the trial that an inner search begins with, shape (1, width), and let it know; none if it has none."""
        rows = self._best.genotypes[:0]
        if self.warm_start and len(self._best):
            best = self._best.genotypes[self._random.integers(len(self._best))]
            rows = search.part.nearest(best[None, :])
            if self._problem.known is not None:
                rows = rows[self._problem.known(rows)[1] <= 0]
            search.take_over(rows, no_results(self._space, self._problem.objectives))
        return rows

    def _accept(self, genotypes: np.ndarray, limit: int) -> np.ndarray:
        accepted = super()._accept(genotypes, limit)
        self._past.propose(accepted)
        if self._joint is None:
            self._loop.propose(len(accepted))
        return accepted

    def learn(self, results: Results) -> None:
        """Let those searches know that are not over."""
        self._past.learn(results)
        self._best.learn(results)
        if self._joint is not None:
            self._joint.learn(results)
            return
        self._loop.learn(results)
        if self._search is not None:
            self._search.learn(results)

    def state(self) -> dict[str, Any]:
        """Return also the states of the searches that are not over."""
        nested = self._joint is None
        return {
            **super().state(),
            "loop": self._loop.state() if nested else None,
            "inner": self._search.state() if nested and self._search is not None else None,
            "joint": None if self._joint is None else self._joint.state(),
        }

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on with the same searches."""
        self._past.propose(proposed)
        self._past.learn(results)
        self._best.learn(results)
        if state["joint"] is not None:
            self._joint = self._begin_joint()
            self._joint.restore(state["joint"], proposed, results)
        else:
            begun = self._loop.restore(state["loop"], proposed, results)
            if state["inner"] is not None:
                self._search = self._begin_inner(proposed[begun], begun)
                self._search.restore(state["inner"], proposed, results)
        super().restore(state, proposed, no_results(self._space, self._problem.objectives))
