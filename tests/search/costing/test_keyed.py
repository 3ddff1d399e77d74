"""Genotypes costed from the keys of their operators: token counts, which no tables of few decisions hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hardware_models._base import MissingEntry
from hardware_models.counts import Counts
from search.costing.keyed import KeyedCosts, keyed
from search.costing.one_by_one import OneByOne
from search.costing.operator_costs import OperatorCosts
from spaces.compression.vit_units import vit_units
from spaces.compressions import compressions
from spaces.diffrate import Layout, diffrate
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import hyperparameters
from spaces.mbconv import mbconv
from tests.search.costing.made_up import Device, devices

TINY = Layout(16, 4, 2, 2, side=8, channels=1, classes=10)
MODELS = (Counts(), *devices(3))


def costs_of(space: GenotypeSpace, models: Any = MODELS) -> tuple[KeyedCosts, OneByOne]:
    single, keys = OneByOne(space, models), keyed(space)
    assert keys is not None
    return KeyedCosts(space, keys, models, single.costs), single


@settings(max_examples=15)
@given(
    st.integers(2, 5), st.sampled_from([1, 3, 5]), st.sampled_from(["class", "mean"]), st.booleans(),
    st.integers(0, 2**31),
)  # fmt: skip
def test_keys_cost_what_the_operators_do(depth: int, gap: int, pool: str, held: bool, seed: int) -> None:
    value = diffrate(Layout(8, depth, 2, 2, side=8, channels=1, classes=4, pool=pool), gap)
    space = GenotypeSpace(value.rebind({"prune_kept[1]": 9}) if held else value)
    costs, single = costs_of(space)
    rows = space.sample(20, np.random.default_rng(seed))
    np.testing.assert_allclose(costs(rows), single.costs(rows), rtol=1e-9)


@pytest.mark.parametrize(
    "value", [diffrate(TINY, 1), pg.Dict(architecture=diffrate(TINY, 1), training=hyperparameters())]
)
def test_many_token_counts_are_costed_from_keys(value: Any) -> None:
    space = GenotypeSpace(value)
    rows, costs = space.sample(1_500, np.random.default_rng(0)), OperatorCosts(space, MODELS)
    found = costs(rows)
    assert costs.compiled
    np.testing.assert_allclose(found[-5:], OneByOne(space, MODELS).costs(rows[-5:]), rtol=1e-9)


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(4)


def test_counts_units_and_compressions_are_costed_from_keys() -> None:
    space = GenotypeSpace(
        pg.Dict(
            units=vit_units(batch, macs=(0.5,), latencies=(0.6,)),
            architecture=diffrate(TINY, 1),
            compression=compressions(shares=(0.5,), weights=(8,), binary=("bnn",)),
        )
    )
    costs, single = costs_of(space)
    rows = space.sample(60, np.random.default_rng(0))
    np.testing.assert_allclose(costs(rows), single.costs(rows), rtol=1e-9)
    assert len({tuple(row) for row in rows[:, [0, 7]]}) == 9  # all units with all ranks


class Doubled(pg.Object):  # type: ignore[misc]
    """A change of an architecture that leaves no keys: it runs twice."""

    def applied_to(self, architecture: Any) -> pg.Dict:
        return pg.Dict(ops=lambda: list(architecture.ops()) * 2)


def test_what_leaves_no_keys_is_costed_one_by_one() -> None:
    space = GenotypeSpace(pg.Dict(architecture=diffrate(TINY, 1), again=pg.oneof([None, Doubled()])))
    costs, single = costs_of(space)
    rows = space.sample(20, np.random.default_rng(0))
    assert set(rows[:, -1].tolist()) == {0, 1}
    np.testing.assert_allclose(costs(rows), single.costs(rows), rtol=1e-9)


def test_an_unknown_operator_is_told_for_the_genotypes_that_hold_it() -> None:
    space = GenotypeSpace(diffrate(TINY, 1))
    costs, _ = costs_of(space, (Device(0, without="token_merge"),))
    merged = np.array([[0, 0, 0, 3, 3, 3]])
    assert costs(np.zeros((1, 6), int)).shape == (1, 1)
    with pytest.raises(MissingEntry, match="token_merge"):
        costs(merged)
    with pytest.raises(MissingEntry, match="token_merge"):
        costs(merged)
    assert costs(np.zeros((1, 6), int)).shape == (1, 1)


def test_other_spaces_have_no_keys() -> None:
    assert keyed(GenotypeSpace(mbconv())) is None
    assert keyed(GenotypeSpace(pg.Dict(architecture=diffrate(TINY), rate=pg.floatv(0.0, 1.0)))) is None
