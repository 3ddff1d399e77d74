"""Local search with restarts (White et al., UAI 2021): with several objectives Pareto local search."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._fronts import Archive, crowding
from search.algorithms._neighbourhood import neighbourhood


class _Run:
    """One descent: what of its proposals is outstanding, and the best that came back.

    Attributes:
      first: how many genotypes had been proposed before it.
      best: the points whose neighbours are tried: one, or with several objectives a front.
      explored: the keys of those whose neighbours have all been proposed.
      outstanding: the keys of its proposals that have not been told.
      told: how many have.
    """

    def __init__(self, problem: Problem, first: int, proposed: Iterable[bytes] = ()) -> None:
        self.first = first
        self._space = problem.space
        self.best = Archive(problem.space.width, problem.space.dtype, problem.objectives)
        self.explored: set[bytes] = set()
        self.outstanding = set(proposed)
        self.told = 0
        self._ordered = 0
        self._order: list[tuple[int, bytes]] = []

    def unexplored(self) -> int | None:
        """Return the row of `best` to explore next: the loneliest, the older of equals; None if all are explored."""
        if self._ordered != self.best.changes:
            self._ordered = self.best.changes
            lonely = crowding(self.best.scores, np.zeros(len(self.best), np.int64))
            keys = self._space.keys(self.best.genotypes)
            last_first = np.arange(len(keys))[::-1]  # a stable sort of it has the older of equals at its end
            rows = last_first[lonely[last_first].argsort(kind="stable")]
            self._order = [(row, keys[row]) for row in rows.tolist()]
        while self._order and self._order[-1][1] in self.explored:
            self._order.pop()
        return self._order[-1][0] if self._order else None

    def learn(self, keys: list[bytes], results: Results) -> None:
        """Take in those results that are of its own proposals."""
        mine = np.array([key in self.outstanding for key in keys], bool)
        self.outstanding.difference_update(keys)
        self.told += int(mine.sum())
        self.best.learn(Results(results.genotypes[mine], results.scores[mine], results.violations[mine]))


@dataclass
class LocalSearch(Algorithm):
    """Tries the neighbours (one decision changed) of the best points, and starts afresh when none is better.

    With one objective that is the best trial of the run; with several, the neighbourhoods of all its non-dominated
    trials are tried, the loneliest first (by crowding distance): Pareto local search. A run ends when every neighbour
    has been proposed and told; the next begins at random points, knows nothing of the earlier ones, and proposes
    nothing of theirs. While results are outstanding and no neighbour is left, random points are proposed, with which
    the next run begins if this one has ended. Of equal trials the older stays. Violations are compared before scores
    (Deb's feasibility rule). An open float is moved up and down by fixed steps.

    Attributes:
      initial: how many random points begin a run, the best of which it goes on from.
      first_improvement: whether the point is chosen anew for every proposal, so that a better one is gone on from as
        soon as it is told; else the whole neighbourhood of a point is proposed first.
    """

    name: ClassVar[str] = "local_search"
    source: ClassVar[str] = "White et al., UAI 2021; several objectives: Paquete et al., 2004 (Pareto local search)"

    initial: int = 20
    first_improvement: bool = True

    def start(self, problem: Problem) -> None:
        """Begin the first run. Raises ValueError unless initial >= 1."""
        if self.initial < 1:
            raise ValueError(f"local_search needs initial >= 1, got {self.initial}")
        super().start(problem)
        self._run = _Run(problem, 0)
        self._next: _Run | None = None  # it has begun while results of the present one are outstanding
        self._leave()

    def _leave(self) -> None:
        """Be nowhere: the next draw chooses a point."""
        self._at: np.ndarray | None = None
        self._at_key = b""
        self._queue = np.zeros((0, self._space.width), self._space.dtype)

    def _visit(self, genotype: np.ndarray) -> None:
        """Queue a point's neighbours that meet the known constraints, in an order of the point and the seed alone."""
        self._at, self._at_key = genotype, self._space.keys(genotype[None, :])[0]
        order = np.random.default_rng([abs(self._problem.seed), zlib.crc32(self._at_key)])
        queue = order.permutation(neighbourhood(self._space, genotype))
        known = self._problem.known
        self._queue = queue if known is None or not len(queue) else queue[known(queue)[1] <= 0]

    def _draw(self, count: int) -> np.ndarray:
        waiting = self._run.first + self.initial - len(self._seen)
        if waiting > 0 or not len(self._run.best):
            return self._space.sample(min(count, waiting) if waiting > 0 else count, self._random)
        while self._choose():
            rows = self._untried(count)
            if len(rows):
                self._next = None
                return rows
        return self._begin(count)

    def _choose(self) -> bool:
        """Go to the loneliest unexplored point, or stay to explore the present one; return False if there is none."""
        run = self._run
        if not self.first_improvement and self._at is not None and self._at_key not in run.explored:
            return True
        row = run.unexplored()
        if row is None:
            return False
        chosen = run.best.genotypes[row]
        if self._at is None or not np.array_equal(chosen, self._at):
            self._visit(chosen)
        return True

    def _untried(self, count: int) -> np.ndarray:
        """Take up to `count` neighbours off the queue that are new."""
        queue = self._queue[[key not in self._seen for key in self._space.keys(self._queue)]]
        self._queue = queue[count:]
        if not len(self._queue):
            self._run.explored.add(self._at_key)
        chosen = queue[:count]
        return chosen if self._at is None else self._bred(chosen, np.repeat(self._at[None], len(chosen), axis=0))

    def _begin(self, count: int) -> np.ndarray:
        """Return random points for the next run; go over to it if nothing of the present one is outstanding.

        A result that never comes is given up when the next run has enough of its own to go on from.
        """
        if self._next is None:
            self._next = _Run(self._problem, len(self._seen))
        if self._run.outstanding <= self._next.outstanding or self._next.told >= self.initial:
            self._run, self._next = self._next, None
            self._leave()
            if len(self._run.best):
                return self._draw(count)
        return self._space.sample(count, self._random)

    def _accept(self, genotypes: np.ndarray, limit: int) -> np.ndarray:
        accepted = super()._accept(genotypes, limit)
        keys = self._space.keys(accepted)
        for run in self._runs():
            run.outstanding.update(keys)
        return accepted

    def _runs(self) -> list[_Run]:
        return [self._run] if self._next is None else [self._run, self._next]

    def learn(self, results: Results) -> None:
        """Let each run know of the results of its proposals."""
        keys = self._space.keys(results.genotypes)
        for run in self._runs():
            run.learn(keys, results)

    def state(self) -> dict[str, Any]:
        """Return also where the runs began among the proposals, and the point whose neighbours are being tried."""
        return {
            **super().state(),
            "run": self._run.first,
            "next": None if self._next is None else self._next.first,
            "at": None if self._at is None else self._at.tolist(),
        }

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on with the same runs. A point that was explored is found to be so when it is chosen again."""
        keys = self._space.keys(proposed)
        self._run = _Run(self._problem, state["run"], keys[state["run"] :])
        if state["next"] is not None:
            self._next = _Run(self._problem, state["next"], keys[state["next"] :])
        if state["at"] is not None:
            self._visit(np.array(state["at"], self._space.dtype))
        super().restore(state, proposed, results)
