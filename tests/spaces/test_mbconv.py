"""The MBConv space: its size, that no decision is dead, and that what is built is what is counted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hardware_models import counts
from spaces.genotype import GenotypeSpace
from spaces.mbconv import Block, MBConv, Stage, mbconv


def some(count: int, **settings: Any) -> list[MBConv]:
    space = GenotypeSpace(mbconv(**settings))
    return [space.decode(row) for row in space.sample(count, np.random.default_rng(0))]


def test_size_counts_each_network_once() -> None:
    assert GenotypeSpace(mbconv()).size == (3 * (6 + 6**2 + 6**3)) ** 3
    tiny = GenotypeSpace(mbconv(widths=[[4, 8]], strides=[1], depth=2, kernels=[3], expansions=[1, 2]))
    networks = {str(tiny.decode(row)) for row in tiny.enumerate(0, 100)}
    assert len(networks) == tiny.size == 12


def test_layers_follow_the_choices() -> None:
    stage = Stage(width=12, stride=2, first=Block(kernel=5, expansion=4, then=Block(kernel=3, expansion=1)))
    network = MBConv(stages=[stage], stem=8, head=32, classes=10, image=(1, 8, 8))
    layers = [(block.kernel, block.expansion, width, stride) for block, width, stride in network.layers()]
    assert layers == [(5, 4, 12, 2), (3, 1, 12, 1)]
    kinds = [op.kind for op in network.ops()]
    assert kinds == ["conv_bn_relu6", "inverted_residual", "inverted_residual", "add", "head"]


@pytest.mark.parametrize(
    "settings", [{}, {"image": (3, 32, 32), "kernels": (3, 5, 7), "expansions": (1, 3, 6), "head": 96}]
)
def test_the_built_network_is_what_is_counted(settings: dict[str, Any]) -> None:
    for candidate in some(8, **settings):
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            network = candidate.build().eval()
            assert network(torch.empty(1, *candidate.input_shape)).shape == (1, 10)
        assert counter.get_total_flops() == 2 * counts.macs(candidate.ops())
        assert sum(weights.numel() for weights in network.parameters()) == counts.params(candidate.ops())


def test_operators_follow_each_other() -> None:
    for candidate in some(8):
        ops = candidate.ops()
        assert all(after.inputs[0] == before.output for before, after in pairwise(ops))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernels": (3, 4)}, r"kernels must be odd, got \(3, 4\)"),
        ({"strides": (1, 2)}, "got 3 and 2"),
        ({"depth": 0}, "at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mbconv(**settings)
