"""Compiled metrics against those of each candidate's operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest
from hypothesis import HealthCheck, given, settings

from hardware_models._base import AdditiveModel, MissingEntry
from hardware_models.counts import Counts
from search.costing.checks import MiscompiledError
from search.costing.compiled import CompiledCosts
from search.costing.domain import Domain, NotCompilableError
from search.costing.one_by_one import OneByOne
from search.costing.probe import OutOfBudgetError, Probe
from spaces.genotype import GenotypeSpace
from tests.search.costing.coupled_nets import Layer, Net, nets
from tests.search.costing.made_up import Device, devices

MODELS = (Counts(), *devices(3))
CHAIN = GenotypeSpace(Net(layers=[Layer(8, pg.oneof([1, 3, 5, 7])) for _ in range(8)]))
COUPLED = GenotypeSpace(Net(layers=[Layer(pg.oneof([4, 8, 12]), pg.oneof([1, 3])) for _ in range(6)]))


def compiled(space: GenotypeSpace, *models: AdditiveModel, budget: int = 10_000) -> tuple[CompiledCosts, OneByOne]:
    single = OneByOne(space, models or MODELS)
    probe = Probe(space, single.ops, models or MODELS)
    probe.budget = budget
    return CompiledCosts(Domain(space), probe, models or MODELS, single.costs), single


def sampled(space: GenotypeSpace, count: int = 100) -> np.ndarray:
    """Return genotypes, half of them with something deeply nested in force."""
    rng, domain = np.random.default_rng(7), Domain(space)
    return np.concatenate([space.sample(count, rng), np.stack([domain.draw_active(rng) for _ in range(count)])])


def assert_equal(costs: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(costs, expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(nets())
def test_any_space_costs_what_its_operators_do(value: Any) -> None:
    space = GenotypeSpace(value)
    try:
        costs, single = compiled(space, budget=2_500)
    except (NotCompilableError, OutOfBudgetError):
        return  # it is then costed one by one
    rows = sampled(space)
    expected = single.costs(rows)
    assert_equal(costs(rows), expected)
    costs.pack()
    assert costs.packed == (costs.open == 0)
    assert_equal(costs(rows), expected)


@pytest.mark.parametrize("space", [CHAIN, COUPLED])
def test_counts_are_exact(space: GenotypeSpace) -> None:
    costs, single = compiled(space, Counts())
    rows = sampled(space)
    assert costs(rows).tolist() == single.costs(rows).tolist()
    costs.pack()
    assert costs.packed
    assert costs(rows).tolist() == single.costs(rows).tolist()


def test_cells_are_filled_as_they_are_asked_for_where_the_budget_is_small() -> None:
    layers = [Layer(pg.oneof([4, 8, 12]), pg.oneof([1, 3, 5])) for _ in range(5)]
    space = GenotypeSpace(Net(layers=layers, resolution=pg.oneof(list(range(8, 72, 4)))))
    costs, single = compiled(space, budget=2_500)
    before, rows = costs.open, sampled(space)
    assert_equal(costs(rows), single.costs(rows))
    assert before > 1_000 > costs.open > 0


def test_a_budget_that_does_not_reach_is_told() -> None:
    with pytest.raises(OutOfBudgetError, match="100 candidates were decoded"):
        compiled(COUPLED, budget=100)


def test_floats_that_act_on_operators_are_refused() -> None:
    layers = [Layer(8, pg.oneof([1, 3, 5, 7])) for _ in range(6)]
    with pytest.raises(NotCompilableError, match=r"the operators depend on \['unused'\]"):
        compiled(GenotypeSpace(Pruned(layers=layers, unused=pg.floatv(0.0, 1.0))))


class Pruned(Net):
    """A network whose last operator depends on a float."""

    def ops(self) -> Any:
        """Return the operators."""
        return [op for op in super().ops() if self.unused < 0.5 or op.kind != "add"]


def test_an_operator_that_a_table_lacks_is_named_for_the_genotypes_that_hold_it() -> None:
    without = Device(0, without="add")
    costs, single = compiled(COUPLED, Counts(), without)
    rows = sampled(COUPLED)
    lacking = np.array([any(op.kind == "add" for op in single.ops(row)) for row in rows])
    assert 0 < lacking.sum() < len(rows)
    assert_equal(costs(rows[~lacking]), single.costs(rows[~lacking]))
    with pytest.raises(MissingEntry, match=r"has no entry for add 4x8x8 \+ 4x8x8"):
        costs(rows[lacking][[single.ops(row)[-3].output[0] == 4 for row in rows[lacking]]])


class Wrong(Device):
    """A model whose terms and call disagree."""

    def __init__(self) -> None:
        super().__init__(0)
        self.terms = lambda op: np.array([1.0])


def test_what_differs_from_the_operators_is_noticed() -> None:
    costs, _ = compiled(CHAIN, Wrong())
    with pytest.raises(MiscompiledError, match=r"genotype \[.*\] costs \[.*\], not \[8\.0\]|not \[1\d\.0\]"):
        costs(sampled(CHAIN))
