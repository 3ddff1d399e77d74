"""The operators of a space, and the networks that a table is calibrated on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyglove as pg
import pytest

from search.coverage import cover, ops_of, rough_cost, stratified
from spaces.diffrate import Layout, diffrate
from spaces.fbnet import fbnet
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv
from spaces.nasbench201 import nasbench201


@pytest.mark.parametrize("value", [nasbench201(), mbconv()], ids=["nasbench201", "mbconv"])
def test_random_candidates_hold_no_operator_that_was_not_found(value: object) -> None:
    space = GenotypeSpace(value)
    found = set(cover(space, np.random.default_rng(0)).ops)
    for row in space.sample(200, np.random.default_rng(1)):
        assert set(ops_of(space, row)) <= found


def test_covering_is_the_same_each_time() -> None:
    space = GenotypeSpace(mbconv())
    first, second = (cover(space, np.random.default_rng(0)) for _ in range(2))
    assert first.ops == second.ops


def test_anchors_span_the_costs() -> None:
    coverage = cover(GenotypeSpace(nasbench201()), np.random.default_rng(0))
    anchors = stratified(coverage, 18)
    costs = dict(zip(map(bytes, coverage.genotypes), coverage.costs, strict=True))
    chosen = [costs[bytes(row)] for row in anchors]
    assert len({bytes(row) for row in anchors}) == 18
    assert (min(chosen), max(chosen)) == (coverage.costs.min(), coverage.costs.max())


def test_anchors_reach_down_to_the_cheapest_network() -> None:
    space = GenotypeSpace(fbnet("cifar", width=0.25, head=64, resolution=16))
    anchors = stratified(cover(space, np.random.default_rng(0)), 18)
    costs = [rough_cost(ops_of(space, row)) for row in anchors]
    assert anchors[0].tolist() == [8] * 22  # every layer is skipped
    assert max(after / before for before, after in pairwise(costs)) < 2


def test_candidates_without_operators_are_refused() -> None:
    with pytest.raises(ValueError, match=r"have no `ops\(\)`"):
        cover(GenotypeSpace(pg.Dict(a=pg.oneof([1, 2]))), np.random.default_rng(0))


def test_every_pair_of_token_counts_has_its_operators() -> None:
    vit = Layout(width=8, depth=4, heads=2, patch=4, side=32, channels=3, classes=4)
    ops = cover(GenotypeSpace(diffrate(vit)), np.random.default_rng(0)).ops
    pruned, merged = (
        {(op.inputs[0][0], op.output[0]) for op in ops if op.kind == kind} for kind in ("token_prune", "token_merge")
    )
    fewer = {(before, after) for before in range(5, 66, 4) for after in range(5, before, 4)}
    assert merged == fewer
    assert pruned == fewer | {(count, count) for count in range(9, 66, 4)}  # sorted alone, to be merged
