"""When a space is listed, costed one by one or compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pyglove as pg
import pytest

from hardware_models.counts import Counts
from hardware_models.op import Op
from search.costing.operator_costs import COMPILED_AFTER, OperatorCosts
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import hyperparameters
from tests.search.costing.coupled_nets import Layer, Net
from tests.search.costing.made_up import Device

BIG = GenotypeSpace(Net(layers=[Layer(pg.oneof([4, 8, 12]), pg.oneof([1, 3])) for _ in range(8)]))
ROWS = BIG.sample(2 * COMPILED_AFTER, np.random.default_rng(0))


class Deepest:
    """A hardware model that is not additive: how many channels the widest operator has."""

    metrics: ClassVar[tuple[str, ...]] = ("channels",)

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        self.calls += 1
        return {"channels": float(max((op.output[0] for op in ops), default=0))}


class Wrong(Device):
    """A model whose terms and call disagree."""

    def __init__(self) -> None:
        super().__init__(0)
        self.terms = lambda op: np.array([1.0])


def test_a_small_study_compiles_nothing() -> None:
    costs = OperatorCosts(BIG, [Counts()])
    for row in ROWS[:50]:
        costs(row[None])
        costs(row[None])
    assert not costs.compiled


def test_many_genotypes_compile_the_space_and_cost_the_same() -> None:
    costs = OperatorCosts(BIG, [Counts(), Device(0)])
    few = costs(ROWS[:20])
    many = costs(ROWS)
    assert costs.compiled
    np.testing.assert_allclose(many[:20], few, rtol=1e-9)


def test_genotypes_that_are_known_do_not_count() -> None:
    costs = OperatorCosts(BIG, [Counts()])
    for _ in range(20):
        costs(ROWS[: COMPILED_AFTER // 10])
    assert not costs.compiled


def test_a_model_that_is_not_additive_is_asked_once_for_each_genotype() -> None:
    model = Deepest()
    costs = OperatorCosts(BIG, [Counts(), model])
    distinct = ROWS[BIG.unique(ROWS)]
    assert costs(ROWS).shape == (len(ROWS), 3)
    costs(ROWS)
    assert model.calls == len(distinct)
    assert not costs.compiled


def test_only_the_architecture_counts() -> None:
    joint = GenotypeSpace(pg.Dict(training=hyperparameters(), architecture=Net(layers=[Layer(8, pg.oneof([1, 3]))])))
    model = Deepest()
    costs = OperatorCosts(joint, [model])
    assert costs(joint.sample(30, np.random.default_rng(0))).tolist() == [[8.0]] * 30
    assert model.calls == 2


def test_what_was_compiled_wrongly_is_said_and_not_used() -> None:
    model = Wrong()
    costs = OperatorCosts(BIG, [model])
    with pytest.warns(RuntimeWarning, match="known metrics are computed one by one from now on: genotype"):
        found = costs(ROWS)
    assert not costs.compiled
    assert found[:5, 0].tolist() == [model(BIG.decode(row).ops())["latency_ms@0"] for row in ROWS[:5]]


class Fragile(Net):
    """A network that has no operators where its first two layers are both of 12 channels."""

    def ops(self) -> tuple[Op, ...]:
        """Return the operators. Raises RuntimeError."""
        if self.layers[0].width == self.layers[1].width == 12:
            raise RuntimeError("too wide")
        return super().ops()


def test_candidates_without_operators_are_an_error_for_those_who_ask_for_them_alone() -> None:
    space = GenotypeSpace(Fragile(layers=[Layer(pg.oneof([4, 8, 12]), pg.oneof([1, 3])) for _ in range(8)]))
    rows = space.sample(COMPILED_AFTER + 300, np.random.default_rng(0))
    wide = (rows[:, 0] == 2) & (rows[:, 2] == 2)
    costs = OperatorCosts(space, [Counts()])
    assert costs(rows[~wide]).shape == (np.sum(~wide), 2)
    assert not costs.compiled
    with pytest.raises(RuntimeError, match="too wide"):
        costs(rows[wide])
