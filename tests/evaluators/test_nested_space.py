"""Nested spaces: the extremes, and every decision's order by size."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from evaluators.nested.space import NestedSpace
from spaces.elasticvit import elasticvit, largest, released_macs, smallest
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import once_for_all


@pytest.mark.parametrize("variant", ["released", "small"])
def test_the_extremes_of_elasticvit(variant: str) -> None:
    nets = NestedSpace(GenotypeSpace(elasticvit(variant)))
    assert nets.space.decode(nets.largest) == largest(variant)
    assert nets.space.decode(nets.smallest) == smallest(variant)


def test_multiply_accumulates_are_those_that_are_asked_for() -> None:
    nets = NestedSpace(GenotypeSpace(elasticvit()), released_macs)
    assert (nets.smallest_macs, nets.largest_macs) == (37_365_024, 3_191_458_816)


def test_the_extremes_of_once_for_all() -> None:
    nets = NestedSpace(GenotypeSpace(once_for_all(resolutions=[224, 128], depths=(1, 2))))
    most, least = nets.space.decode(nets.largest), nets.space.decode(nets.smallest)
    assert (most.depths, most.resolution, set(most.kernels), set(most.expansions)) == ((2,) * 5, 224, {7}, {6})
    assert (least.depths, least.resolution, set(least.kernels), set(least.expansions)) == ((1,) * 5, 128, {3}, {3})


def test_choices_are_ordered_by_size_and_not_as_they_are_listed() -> None:
    nets = NestedSpace(GenotypeSpace(once_for_all(resolutions=[128, 224, 160], depths=(1, 2), width=0.25)))
    names = [column.name for column in nets.space.columns]
    assert nets.order[names.index("resolution")].tolist() == [1, 2, 0]
    assert nets.order[names.index("stages[0].first.kernel")].tolist() == [2, 1, 0]
    assert nets.order[names.index("stages[0].first.then")].tolist() == [1, 0]


def test_ranks_and_genotypes_are_each_others_inverse() -> None:
    nets = NestedSpace(GenotypeSpace(elasticvit("small")))
    for seed in range(20):
        genotype = nets.random(np.random.default_rng(seed))
        assert nets.of_ranks(nets.ranks(genotype)).tolist() == genotype.tolist()
    assert nets.ranks(nets.largest).sum() == 0


def test_open_floats_are_refused() -> None:
    with pytest.raises(ValueError, match="where all decisions are choices"):
        NestedSpace(GenotypeSpace(pg.Dict(rate=pg.floatv(0.0, 1.0))))
