"""The most probable genotypes within a budget, exactly: dynamic programming over columns, with Lagrangian bounds.

A multiple-choice knapsack (Kellerer, Pferschy and Pisinger, Knapsack Problems, 2004, chapter 11) whose `count` best
solutions are wanted. Partial genotypes are extended column by column. One is dropped when no completion keeps within
the budget; when `count` others cost no more and are no less probable; and when, for any multiplier m >= 0,

    its log-probability + m (budget - its cost) + the sum over what is open of max (log-probability - m cost),

which bounds the log-probability of every completion, is not above that of the `count`-th best known genotype. Those
are known from a first pass that keeps only the most promising partial genotypes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.algorithms._learned import Budget, LogProbabilities

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace

BEAM = 4
"""How many partial genotypes the first pass keeps, in multiples of those wanted; `LEAST_BEAM` at least."""

LEAST_BEAM = 512
BLOCK = 512
"""Partial genotypes that are compared with those before them at a time."""

MOST = 40_000
"""How many partial genotypes are kept at most: beyond it, as where log-probabilities are all but linear in costs, what
is found is very good rather than certainly the best."""

ROUNDING = 1e-12
"""How far sums of the same numbers in another order may differ, relative to the largest."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The most probable genotypes, the most probable first.

    Attributes:
      genotypes: shape (m, width).
      exact: whether it is certain that there are no more probable ones.
    """

    genotypes: np.ndarray
    exact: bool


def most_probable(
    space: GenotypeSpace, distribution: LogProbabilities, count: int, budget: Budget | None = None
) -> Decoded:
    """Return the `count` most probable genotypes within the budget.

    Fewer where fewer have a probability above 0 and keep within the budget. Of equally probable ones the cheaper come
    first; which of them are among the last is the same each time. The columns must be independent choices (see
    `independent`); a column that is not in force has no part in probability and cost.
    """
    plan = _Plan(space, distribution, budget)
    if plan.constant + plan.cheapest[0] > plan.bound:
        return Decoded(np.zeros((0, space.width), space.dtype), exact=True)
    first, cut = _extended(plan, count, -np.inf, max(BEAM * count, LEAST_BEAM))
    known = _best(first, count)
    if not cut:
        return Decoded(known.rows, exact=True)
    enough = len(known.logs) == count
    least = known.logs[-1] + ROUNDING * (1 + abs(known.logs[-1])) if enough else -np.inf
    rest, cut = _extended(plan, count, least, MOST)
    return Decoded(_best(_united(known, rest), count).rows, exact=not cut)


class _Plan:
    """What is known of a problem before genotypes are extended.

    Attributes:
      logs, terms: of each column's choices.
      constant, bound: of the budget; a genotype's cost is the constant and its terms.
      multipliers: shape (m,); the first is the best one for the whole problem.
      values: shape (width, m): the most that a column in force and what hangs on it add to log-probability - m cost.
      after: shape (width + 1, m): the sum of the values of columns from the i-th on that hang on no other.
      cheapest: shape (width + 1,): the least that such columns cost.
      least: shape (width,): the least that a column in force and what hangs on it cost.
    """

    def __init__(self, space: GenotypeSpace, distribution: LogProbabilities, budget: Budget | None) -> None:
        self.space, self.logs = space, distribution
        self.terms = budget.terms if budget is not None else tuple(np.zeros(len(logs)) for logs in distribution)
        self.constant = budget.constant if budget is not None else 0.0
        bound = budget.bound if budget is not None else np.inf
        self.bound = bound + ROUNDING * max(1.0, abs(bound)) if np.isfinite(bound) else bound
        self.roots = np.array([column.parent < 0 for column in space.columns], bool)
        self.least = -self._values(np.ones(1), probable=False)[:, 0]
        self.cheapest = np.append(np.where(self.roots, self.least, 0.0)[::-1].cumsum()[::-1], 0.0)
        self.multipliers = self._multipliers() if np.isfinite(bound) else np.zeros(1)
        self.values = self._values(self.multipliers)
        self.after = np.zeros((space.width + 1, len(self.multipliers)))
        self.after[:-1] = np.where(self.roots[:, None], self.values, 0.0)[::-1].cumsum(axis=0)[::-1]

    def _values(self, multipliers: np.ndarray, *, probable: bool = True) -> np.ndarray:
        """Return `values` for these multipliers; without `probable`, of the costs of what has a probability alone."""
        columns = self.space.columns
        values = np.zeros((len(columns), len(multipliers)))
        below = [np.zeros((len(logs), len(multipliers))) for logs in self.logs]
        for index in range(len(columns) - 1, -1, -1):
            logs = self.logs[index] if probable else np.where(np.isneginf(self.logs[index]), -np.inf, 0.0)
            own = logs[:, None] - self.terms[index][:, None] * multipliers + below[index]
            values[index] = own.max(axis=0)
            if columns[index].parent >= 0:
                below[columns[index].parent][columns[index].parent_choice] += values[index]
        return values

    def _multipliers(self) -> np.ndarray:
        """Return the multiplier with the least bound, 0, and others around it."""
        spread = max((np.ptp(logs[np.isfinite(logs)]) for logs in self.logs), default=0.0)
        cost = max((np.ptp(terms) for terms in self.terms), default=0.0)
        best, factor = (spread or 1.0) / (cost or 1.0), 2.0**20
        for _ in range(6):
            tried = np.append(best * np.geomspace(1 / factor, factor, 41), 0.0)
            bounds = tried * (self.bound - self.constant) + self._values(tried)[self.roots].sum(axis=0)
            best, factor = float(tried[bounds.argmin()]) or best / factor, factor ** (1 / 6)
        around = best * np.array([1.0, 0.9, 1.1, 0.75, 1.35, 0.5, 2.0, 0.25, 4.0, 1 / 16, 16.0])
        return np.append(around, 0.0)

    def promising(self, found: _Partial, column: int, least: float) -> tuple[_Partial, np.ndarray]:
        """Return those of what is set up to `column` that can be completed within the budget to more than `least`.

        With them, the most that the log-probability of their completions can be, shape (n,).
        """
        hanging = sum(on * self.least[at] for at, on in self._hanging(found, column))
        found = found.take(found.costs + self.cheapest[column + 1] + hanging <= self.bound)
        bounds = np.full(len(found.logs), np.inf)
        for index, multiplier in enumerate(self.multipliers):
            room = multiplier * (self.bound - found.costs) if multiplier else 0.0
            rest = sum(on * self.values[at, index] for at, on in self._hanging(found, column))
            bounds = np.minimum(bounds, found.logs + room + self.after[column + 1, index] + rest)
            if not (keep := bounds > least).all():
                found, bounds = found.take(keep), bounds[keep]
        return found, bounds

    def _hanging(self, found: _Partial, column: int) -> list[tuple[int, np.ndarray]]:
        """Return the open columns that hang on one that is set, and in which genotypes they are in force."""
        columns = self.space.columns
        return [
            (at, found.in_force(columns[at].parent, columns[at].parent_choice))
            for at in range(column + 1, len(columns))
            if 0 <= columns[at].parent <= column
        ]


@dataclass(frozen=True, slots=True)
class _Partial:
    """Genotypes that are set up to a column: rows (n, width), which columns are in force, costs and log-probabilities.

    The other columns hold 0 and are not in force.
    """

    rows: np.ndarray
    active: np.ndarray
    costs: np.ndarray
    logs: np.ndarray

    def take(self, index: np.ndarray) -> _Partial:
        """Return those of an index or a mask."""
        return _Partial(self.rows[index], self.active[index], self.costs[index], self.logs[index])

    def in_force(self, parent: int, choice: int) -> np.ndarray:
        """Return where a column is in force that hangs on this choice of its parent, shape (n,), bool."""
        return np.asarray(self.active[:, parent] & (self.rows[:, parent] == choice))


def _extended(plan: _Plan, count: int, least: float, beam: int) -> tuple[_Partial, bool]:
    """Return genotypes among which are all of the `count` best that are more probable than `least`.

    Only `beam` are kept at each column; the second value says whether any were left out for that.
    """
    width, cut = plan.space.width, False
    none = np.zeros((1, width), bool)
    found = _Partial(np.zeros((1, width), plan.space.dtype), none, np.full(1, plan.constant), np.zeros(1))
    for column in range(width):
        found, bounds = plan.promising(_with(plan, found, column), column, least)
        if column + 1 == width or plan.roots[column + 1]:  # else they differ in what is still open
            keep = _undominated(found, count)
            found, bounds = found.take(keep), bounds[keep]
        if len(bounds) > beam:
            found, cut = found.take(np.argsort(-bounds, kind="stable")[:beam]), True
    return found, cut


def _with(plan: _Plan, found: _Partial, column: int) -> _Partial:
    """Return every genotype with each choice of a column that has a probability, where the column is in force."""
    of = plan.space.columns[column]
    on = np.ones(len(found.logs), bool) if of.parent < 0 else found.in_force(of.parent, of.parent_choice)
    choices = np.isfinite(plan.logs[column]).nonzero()[0]
    index = np.concatenate([np.repeat(on.nonzero()[0], len(choices)), (~on).nonzero()[0]])
    choice = np.concatenate([np.tile(choices, int(on.sum())), np.zeros(int((~on).sum()), np.intp)])
    made = found.take(index)
    made.rows[:, column], made.active[:, column] = choice, on[index]
    costs = made.costs + np.where(on[index], plan.terms[column][choice], 0.0)
    return _Partial(made.rows, made.active, costs, made.logs + np.where(on[index], plan.logs[column][choice], 0.0))


def _undominated(found: _Partial, count: int) -> np.ndarray:
    """Return the indices of genotypes, by cost, without most of those that `count` others dominate."""
    order = np.lexsort((-found.logs, found.costs))
    best, kept = np.full(count, -np.inf), []
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        logs = found.logs[block]
        kept.append(block[logs > best.min()])
        best = np.partition(np.concatenate([best, logs]), -count)[-count:]
    return np.concatenate(kept) if kept else order


def _united(first: _Partial, second: _Partial) -> _Partial:
    """Return the genotypes of both, each once."""
    parts = zip(*((each.rows, each.active, each.costs, each.logs) for each in (first, second)), strict=True)
    both = _Partial(*(np.concatenate(part) for part in parts))
    return both.take(np.sort(np.unique(both.rows, axis=0, return_index=True)[1]))


def _best(found: _Partial, count: int) -> _Partial:
    """Return the most probable genotypes, the most probable first."""
    return found.take(np.lexsort((found.costs, -found.logs))[:count])
