"""Known metrics as additive terms: exact where they add up, refused with the decisions that do not where they don't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from hardware_models.counts import Counts
from search.costing.additive import NotAdditiveError, additive_costs, budgets_of
from search.known_metrics import KnownMetrics
from search.objectives import parse_constraints
from spaces.genotype import GenotypeSpace
from spaces.proxylessnas import proxylessnas


class Costed:
    """A model of genotypes: what a function says of them."""

    metrics = ("cost",)

    def __init__(self, cost: Callable[[np.ndarray], Any]) -> None:
        self.costs = lambda rows: np.asarray(cost(rows.astype(float)))[:, None]


def known(space: GenotypeSpace, cost: Callable[[np.ndarray], Any]) -> KnownMetrics:
    return KnownMetrics(space, [Costed(cost)])


FLAT = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof([0, 1, 2]) for i in range(4)}))
NESTED = GenotypeSpace(
    pg.Dict(a=pg.oneof(["none", pg.Dict(k=pg.oneof([3, 5]), e=pg.oneof([1, 2, 3]))]), b=pg.oneof([1, 2]))
)


def test_terms_and_constant_of_a_sum() -> None:
    found = additive_costs(FLAT, known(FLAT, lambda rows: 10 + rows @ [1.0, -2, 3, 4]), "cost")
    assert found.constant == pytest.approx(6)
    assert [each.round(12).tolist() for each in found.terms[:2]] == [[0, 1, 2], [4, 2, 0]]


def test_a_column_that_is_not_in_force_adds_nothing() -> None:
    costs = known(NESTED, lambda rows: 1 + rows[:, 0] * (5 + 2 * rows[:, 1] + rows[:, 2]) + 7 * rows[:, 3])
    found = additive_costs(NESTED, costs, "cost")
    assert [each.tolist() for each in found.terms] == [[0, 5], [0, 2], [0, 1, 2], [0, 7]]
    rows = NESTED.enumerate(0, 14)
    assert found(rows) == pytest.approx(costs(rows)[:, 0])


def test_the_macs_of_proxylessnas_add_up() -> None:
    space = GenotypeSpace(proxylessnas())
    costs = KnownMetrics(space, [Counts()])
    rows = space.sample(50, np.random.default_rng(7))
    assert additive_costs(space, costs, "macs")(rows) == pytest.approx(costs(rows)[:, costs.names.index("macs")])


def test_a_bound_that_only_the_cheapest_meets_is_seen() -> None:
    bounded = known(FLAT, lambda rows: np.maximum(60 - 9 * rows.sum(axis=1), 2.0))
    with pytest.raises(NotAdditiveError, match=r"\[2, 2, 2, 2\] costs 2, its terms add up to -12; .* measure it again"):
        additive_costs(FLAT, bounded, "cost")


def test_what_acts_together_is_named() -> None:
    coupled = known(FLAT, lambda rows: rows.sum(axis=1) + rows[:, 1] * rows[:, 3])
    with pytest.raises(NotAdditiveError, match=r"cost of the space is not a sum.*; layer1, layer3 act together$"):
        additive_costs(FLAT, coupled, "cost")


def test_a_metric_that_is_not_known_and_a_space_of_floats_are_refused() -> None:
    with pytest.raises(ValueError, match="metric 'latency_ms' is not known before an evaluation; known are cost"):
        additive_costs(FLAT, known(FLAT, lambda rows: rows[:, 0]), "latency_ms")
    floats = GenotypeSpace(pg.Dict(a=pg.floatv(0.0, 1.0)))
    with pytest.raises(NotAdditiveError, match="cost has no terms for each choice: the space has open floats"):
        additive_costs(floats, known(floats, lambda rows: rows[:, 0]), "cost")


def test_bounds_of_every_relation_become_budgets_and_what_is_unknown_does_not() -> None:
    costs = known(FLAT, lambda rows: 10 + rows[:, 0])
    bounds = parse_constraints(["cost <= 11", "cost < 11", "cost >= 11", "accuracy >= 70"])
    at_most, below, at_least = budgets_of(FLAT, costs, bounds)
    assert (at_most.bound, at_most.constant, at_most.terms[0].tolist()) == (11, 10, [0, 1, 2])
    assert below.bound == np.nextafter(11, 0)
    assert (at_least.bound, at_least.constant, at_least.terms[0].tolist()) == (-11, -10, [0, -1, -2])
