"""The operators of smaller networks: what PyTorch counts in them, without building any."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hardware_models import counts
from hardware_models.wiring import check_wiring
from spaces.pruning.channels import channels
from spaces.pruning.operators import Operators
from spaces.pruning.shrink import shrink
from tests.spaces.pruning.nets import NETS, ResNet, conv_bn


def counted(model: nn.Module) -> tuple[int, int]:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, 3, 16, 16))
    return counter.get_total_flops() // 2, sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_operators_are_those_of_the_smaller_network(make: Callable[[], nn.Module]) -> None:
    model, rng = make(), np.random.default_rng(0)
    found = channels(model, (3, 16, 16))
    operators = Operators(found)
    for _ in range(4):
        widths = [int(rng.integers(1, group.width + 1)) for group in found.groups]
        graph = operators.graph(widths)
        check_wiring(graph.inputs, graph, graph.wiring)
        atoms = [group.atoms[:width] for group, width in zip(found.groups, widths, strict=True)]
        smaller = shrink(model, found, np.concatenate(atoms), check=False)
        assert (counts.macs(graph), counts.params(graph)) == counted(smaller)


def test_resnet_20_has_the_known_costs() -> None:
    for option, known in (("A", 40_551_000), ("B", 40_813_000)):
        found = channels(ResNet(option, depth=3, width=16), (3, 32, 32))
        graph = Operators(found).graph([group.width for group in found.groups])
        assert abs(counts.macs(graph) - known) < 500


def test_a_norm_and_an_activation_are_one_operator_with_their_convolution() -> None:
    found = channels(NETS["resnet_b"](), (3, 16, 16))
    graph = Operators(found).graph([group.width for group in found.groups])
    assert [op.kind for op in graph[:5]] == ["conv_bn_relu", "conv_bn_relu", "conv_bn", "add", "relu"]


def test_an_operator_of_no_kind_is_named() -> None:
    model = nn.Sequential(conv_bn(3, 8), nn.Hardtanh(), nn.Conv2d(8, 2, 1))
    with pytest.raises(ValueError, match="there is no kind of operator for 'hardtanh'"):
        Operators(channels(model, (3, 16, 16)))
