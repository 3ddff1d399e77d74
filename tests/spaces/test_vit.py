"""The space of plain vision transformers: exact counts, and sizes that are refused."""

from __future__ import annotations

import numpy as np
import pytest
from spaces_built import built_counts

from hardware_models import counts
from spaces.genotype import GenotypeSpace
from spaces.vit import VisionTransformer, vit


def test_networks_are_what_is_counted() -> None:
    space = GenotypeSpace(vit(patch=2, side=8, channels=1))
    for row in space.sample(4, np.random.default_rng(0)):
        candidate = space.decode(row)
        assert built_counts(candidate) == (counts.params(candidate.ops()), counts.macs(candidate.ops()))


def test_the_counts_of_deit_small() -> None:
    deit = VisionTransformer(6, 12, 4, 64, 16, 224, 3, 1000)
    assert (counts.params(deit.ops()), counts.macs(deit.ops())) == (22_050_664, 4_598_882_304)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="the patch must divide the side"):
        vit(patch=3, side=8)
