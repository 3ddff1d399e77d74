"""Pruning rates beside an open architecture: which stage a channel is of, what a joint candidate builds and costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch

from hardware_models.architecture import architecture_of
from hardware_models.counts import Counts, macs
from search.known_metrics import KnownMetrics
from spaces.compression.bit_width import BitWidth
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import hyperparameters
from spaces.lapp import pruned
from spaces.mbconv import mbconv
from spaces.pruning.prunable import Prunable
from spaces.pruning_rates import PruningRates, pruning_rates, stages
from tests.spaces.pruning.nets import VGG, resnet_a
from tests.spaces_built import built_counts

SMALL = mbconv(widths=((8, 16), (16, 24)), strides=(1, 2), depth=2, kernels=(3,), expansions=(2,))
JOINT = GenotypeSpace(pg.Dict(architecture=SMALL, pruning=pruning_rates(2), training=hyperparameters()))


def some(count: int) -> list[Any]:
    return [JOINT.decode(row) for row in JOINT.sample(count, np.random.default_rng(0))]


def test_each_stage_has_a_rate() -> None:
    names = [column.name for column in GenotypeSpace(pruning_rates(3)).columns]
    assert names == ["rates[0]", "rates[1]", "rates[2]"]


def test_a_stage_is_a_resolution() -> None:
    network = Prunable(resnet_a, (3, 16, 16))
    by_layer = {group.name: stage for group, stage in zip(network.groups, stages(network), strict=True)}
    assert by_layer["blocks.0.conv1.0"] == 0
    assert by_layer["blocks.1.conv1.0"] == 1
    assert by_layer["blocks.2.conv1.0"] == 2


def test_linear_layers_are_of_the_last_stage() -> None:
    assert stages(Prunable(VGG, (3, 16, 16))) == (0, 0, 1, 3)


def test_further_stages_have_the_last_rate() -> None:
    architecture = pruned(Prunable(VGG, (3, 16, 16)), (8, 12, 16, 24))
    assert PruningRates([0.0, 0.5]).applied_to(architecture).widths == (8, 12, 8, 12)


def test_a_joint_candidate_builds_what_its_operators_count() -> None:
    for candidate in some(3):
        network = architecture_of(candidate)
        object.__setattr__(network, "classes", 10)
        counts = Counts(("params", "macs"))(network.ops())
        assert built_counts(network) == (counts["params"], counts["macs"])


def test_known_metrics_are_those_of_the_pruned_network() -> None:
    rows = JOINT.sample(30, np.random.default_rng(1))
    expected = [[macs(architecture_of(JOINT.decode(row)).ops())] for row in rows]
    assert KnownMetrics(JOINT, [Counts(("macs",))])(rows).tolist() == expected


def test_a_rate_of_zero_leaves_the_network_as_it_is() -> None:
    value = mbconv(widths=((8,),), strides=(1,), depth=1, kernels=(3,), expansions=(2,))
    whole = GenotypeSpace(value).decode(np.zeros(GenotypeSpace(value).width))
    same = PruningRates([0.0]).applied_to(whole)
    assert macs(same.ops()) == macs(whole.ops())
    shapes = [tuple(weight.shape) for weight in whole.build().parameters()]
    assert [tuple(weight.shape) for weight in same.build().parameters()] == shapes


def test_channels_go_before_weights_are_compressed() -> None:
    rounded = BitWidth(8).applied_to(some(1)[0].architecture)
    with pytest.raises(ValueError, match="let pruning stand first in the space"):
        PruningRates([0.5]).applied_to(rounded)


def test_networks_are_followed_without_random_numbers() -> None:
    candidate = some(1)[0]
    torch.manual_seed(5)
    first = architecture_of(candidate).build().classifier.weight
    torch.manual_seed(5)
    assert torch.equal(architecture_of(candidate).build().classifier.weight, first)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stages": 0}, "stages and multiple must be at least 1, got 0 and 1"),
        ({"rates": [1.0]}, r"rates must be some numbers from 0 up to below 1, got \[1.0\]"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pruning_rates(**settings)
