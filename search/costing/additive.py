"""A known metric of a space as additive terms, one for each choice of each column; refused where it does not add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from search.algorithms._learned import Budget, independent

if TYPE_CHECKING:
    from search.known_metrics import KnownMetrics
    from search.objectives import Constraint
    from spaces.genotype import GenotypeSpace

CHECKED = 64
"""Random genotypes on which, beside the cheapest, terms must add up to what is known of them."""

AGREEMENT = 1e-9
"""The relative difference beyond which they do not."""

NAMED = 6
"""Decisions that are named where a metric does not add up."""


Cost = Callable[[np.ndarray], np.ndarray]
"""Genotypes (n, width) -> a metric (n,)."""


class NotAdditiveError(ValueError):
    """A metric that is no sum over the space's decisions; the message says which of them act together."""


@dataclass(frozen=True, slots=True)
class AdditiveCosts:
    """A metric: constant + the sum over columns of terms[column][choice].

    A column that is not in force holds its first choice, whose term is then 0. Of any other column the cheapest choice
    has the term 0, so that the constant is what the cheapest network costs where nothing is conditional.

    Attributes:
      metric: its name.
      constant: what no decision changes.
      terms: one float64 array (choices,) a column.
    """

    metric: str
    constant: float
    terms: tuple[np.ndarray, ...]

    def __call__(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the metric of genotypes (n, width), shape (n,)."""
        total = np.full(len(genotypes), self.constant)
        for column, terms in enumerate(self.terms):
            total += terms[genotypes[:, column].astype(np.intp)]
        return total


def additive_costs(space: GenotypeSpace, known: KnownMetrics, metric: str) -> AdditiveCosts:
    """Return the terms of a known metric: every choice of every column is tried against the space's first genotype.

    Raises NotAdditiveError where they do not add up to what is known of the cheapest genotype and of random ones, and
    ValueError for a metric that is not known.
    """
    if metric not in known.names:
        raise ValueError(f"metric {metric!r} is not known before an evaluation; known are {', '.join(known.names)}")
    if not independent(space):
        raise NotAdditiveError(
            f"{metric} has no terms for each choice: the space has open floats, or a manyof with distinct or sorted "
            f"positions, which are not chosen one by one"
        )
    of = known.names.index(metric)

    def cost(rows: np.ndarray) -> np.ndarray:
        costs: np.ndarray = known(rows)[:, of]
        return costs

    found = _terms(space, cost, metric)
    cheapest = np.array([[terms.argmin() for terms in found.terms]], space.dtype)
    rows = np.concatenate([space.repair(cheapest), space.sample(CHECKED, np.random.default_rng(0))])
    agree = _agree(found, cost, rows)
    if not agree.all():
        raise _refusal(space, found, rows[~agree][0], cost)
    return found


def _agree(found: AdditiveCosts, cost: Cost, rows: np.ndarray) -> np.ndarray:
    """Return for which genotypes the terms add up to the metric, shape (n,), bool."""
    agree: np.ndarray = np.isclose(found(rows), cost(rows), rtol=AGREEMENT, atol=1e-12)
    return agree


def budgets_of(space: GenotypeSpace, known: KnownMetrics, constraints: Sequence[Constraint]) -> tuple[Budget, ...]:
    """Return the constraints on known metrics that add up over the columns, as budgets; the others are left out.

    A lower bound is an upper one on what is counted the other way; a strict bound is the next number within it.
    """
    budgets = []
    for constraint in constraints:
        if constraint.metric not in known.names:
            continue
        try:
            costs = additive_costs(space, known, constraint.metric)
        except NotAdditiveError:
            continue
        sign = 1.0 if constraint.relation[0] == "<" else -1.0
        bound = sign * constraint.bound
        bound = bound if constraint.relation[1:] == "=" else float(np.nextafter(bound, -np.inf))
        budgets.append(Budget(sign * costs.constant, tuple(sign * terms for terms in costs.terms), bound))
    return tuple(budgets)


def _terms(space: GenotypeSpace, cost: Cost, metric: str) -> AdditiveCosts:
    """Return each choice's cost beyond that of the column's first one; what hangs on a choice has its first ones."""
    base = space.repair(np.zeros((1, space.width)))
    constant, terms = float(cost(base)[0]), []
    for index, column in enumerate(space.columns):
        rows = np.repeat(_reaching(space, base[0], index)[None], column.cardinality, axis=0)
        rows[:, index] = np.arange(column.cardinality)
        costs = cost(space.repair(rows))
        terms.append(costs - (costs[0] if column.parent >= 0 else costs.min()))
        constant += costs.min() - costs[0] if column.parent < 0 else 0.0
    return AdditiveCosts(metric, float(constant), tuple(terms))


def _reaching(space: GenotypeSpace, base: np.ndarray, index: int) -> np.ndarray:
    """Return the base genotype with those choices under which a column is in force."""
    row = base.copy()
    while (above := space.columns[index].parent) >= 0:
        row[above] = space.columns[index].parent_choice
        index = above
    return row


def _refusal(space: GenotypeSpace, found: AdditiveCosts, row: np.ndarray, cost: Cost) -> NotAdditiveError:
    """Return the error for a genotype that does not cost the sum, with pairs of decisions that make the difference."""
    pairs = np.array(list(combinations(row.nonzero()[0].tolist(), 2)), np.intp).reshape(-1, 2)
    rows = np.zeros((len(pairs), space.width), space.dtype)
    np.put_along_axis(rows, pairs, row[pairs], axis=1)
    coupled = pairs[~_agree(found, cost, space.repair(rows))]
    names = dict.fromkeys(space.columns[at].name for at in coupled.reshape(-1).tolist())
    which = f"; {', '.join(list(names)[:NAMED])}{' ...' if len(names) > NAMED else ''} act together" if names else ""
    costs, total = float(cost(row[None])[0]), float(found(row[None])[0])
    below = "; where that is measured, too noisily: measure it again (python -m search profile)" if total < 0 else ""
    return NotAdditiveError(
        f"{found.metric} of the space is not a sum over its decisions: genotype {space.to_json(row)} costs {costs:g}, "
        f"its terms add up to {total:g}{below or which}"
    )
