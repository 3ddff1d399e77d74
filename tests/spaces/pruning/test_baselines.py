"""Global magnitude pruning on its source's numbers, and on networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from spaces.pruning.global_magnitude import global_magnitude, least_of, with_minimum
from spaces.pruning.prunable import Prunable
from tests.spaces.pruning.nets import VGG, ResNet


@pytest.mark.parametrize(
    ("counts", "sparsities", "target", "least", "expected"),
    [
        ((1000, 200, 20), (0.85, 0.97, 0.5), 0.86, 30, (0.8792, 0.85, 0)),
        ((5000, 3000, 1000, 1000), (0.90, 0.92, 0.999, 0.85), 0.905, 50, (0.89889, 0.91887, 0.95, 0.84895)),
    ],
)
def test_layers_keep_a_minimum(
    counts: tuple[int, ...], sparsities: tuple[float, ...], target: float, least: int, expected: tuple[float, ...]
) -> None:
    found = with_minimum(counts, sparsities, target, least)
    assert found == pytest.approx(expected, abs=5e-6)
    assert np.dot(found, counts) == pytest.approx(target * sum(counts))


def test_a_minimum_out_of_reach_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a sparsity of 0\.99 leaves no 30 weights to each layer; at most 0\.85 does"):
        with_minimum((150, 150, 300), (0.99, 0.99, 0.99), 0.99, 30)


def test_the_minimum_is_a_share_of_all_weights() -> None:
    assert least_of(25_502_912) == 12_751


def test_the_smallest_filters_of_the_whole_network_go() -> None:
    torch.manual_seed(0)
    network, model = Prunable(VGG, (3, 16, 16)), VGG()
    with torch.no_grad():
        model[2].weight[:6] *= 1e-3
    assert global_magnitude(network, model, 0.6) == (7, 7, 16, 24)


def test_groups_keep_their_least_share() -> None:
    torch.manual_seed(0)
    network, model = Prunable(ResNet, (3, 16, 16)), ResNet()
    nn.init.constant_(model.blocks[0].conv1[0].weight, 0.0)
    assert global_magnitude(network, model, 0.5)[1] == 1
    assert global_magnitude(network, model, 0.5, least=0.5)[1] == 4
