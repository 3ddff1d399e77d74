"""Multiply-accumulates and weights, against PyTorch's own counts and published ones."""

from __future__ import annotations

import csv
import gzip

import pytest
import torch
from shared_data import shared_data
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hardware_models.counts import Counts, layers, macs, params
from hardware_models.op import Op, chain, conv2d, elementwise, linear
from hardware_models.torch_ops import build
from tests.hardware_models.small_networks import IMAGE, chain_network, chain_ops

OPS = (
    conv2d((3, 15, 9), 16, 3),
    conv2d((16, 8, 8), 32, 1, bias=True),
    conv2d((16, 9, 9), 16, 5, stride=2, groups=16),
    conv2d((16, 9, 9), 32, 3, groups=4, dilation=2),
    linear((32,), 10),
    linear((7, 32), 10, bias=False),
    Op("matmul", ((4, 7, 16), (4, 16, 9)), (4, 7, 9)),
    elementwise("batch_norm2d", (16, 8, 8)),
    elementwise("layer_norm", (7, 32)),
    elementwise("gelu", (16, 8, 8)),
    Op("avg_pool2d", ((16, 8, 8),), (16, 4, 4), kernel=2, stride=2),
    chain("mb", conv2d((8, 8, 8), 48, 1), conv2d((48, 8, 8), 48, 3, groups=48), conv2d((48, 8, 8), 8, 1)),
)


def counted_by_torch(module: nn.Module, shapes: tuple[tuple[int, ...], ...]) -> int:
    """Return half of the floating-point operations that PyTorch itself counts, without computing anything."""
    counter = FlopCounterMode(display=False)
    with torch.device("meta"), counter:
        module.to("meta")(*(torch.empty(1, *shape) for shape in shapes))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("op", OPS, ids=str)
def test_macs_are_half_of_what_torch_counts(op: Op):
    assert macs([op]) == counted_by_torch(build(op), op.inputs)


@pytest.mark.parametrize("op", OPS, ids=str)
def test_params_are_those_of_the_module(op: Op):
    assert params([op]) == sum(weight.numel() for weight in build(op).parameters())


def test_a_whole_network_agrees_with_its_operators():
    network, ops = chain_network(24, 3), chain_ops(24, 3)
    assert macs(ops) == counted_by_torch(network, (IMAGE,)) == 2_820_336
    assert params(ops) == sum(weight.numel() for weight in network.parameters()) == 11_410


def test_an_operator_that_stands_twice_counts_twice():
    assert macs([OPS[0], OPS[0]]) == 2 * macs([OPS[0]]) == 2 * 16 * 15 * 9 * 27


def test_layers_are_what_multiplies_by_weights_within_composites_too():
    assert layers(OPS) == 1 + 1 + 1 + 1 + 1 + 1 + 1 + 0 + 0 + 0 + 0 + 3


def test_nothing_costs_nothing():
    assert dict(Counts()(())) == {"macs": 0.0, "params": 0.0}


def test_the_hardware_model_returns_floats_of_both():
    assert dict(Counts()([linear((32,), 10)])) == {"macs": 320.0, "params": 330.0}


@pytest.mark.parametrize("count", [macs, params])
def test_a_kind_that_cannot_be_counted_is_refused(count):
    with pytest.raises(ValueError, match="attention 7x32 -> 7x32 is of a kind that cannot be counted"):
        count([elementwise("attention", (7, 32))])


def nasbench201_ops(code: str) -> list[Op]:
    """Return the operators of a published network, dead edges included, without norms' and pools' places in between."""
    ops = [conv2d((3, 32, 32), 16, 3), elementwise("batch_norm2d", (16, 32, 32))]
    for stage, (width, side) in enumerate(((16, 32), (32, 16), (64, 8))):
        if stage:
            wide = (width // 2, 2 * side, 2 * side)
            ops += [conv2d(wide, width, 3, 2), conv2d((width, side, side), width, 3)]
            ops += [elementwise("batch_norm2d", (width, side, side))] * 2 + [conv2d((width // 2, side, side), width, 1)]
        kernels = [{"2": 1, "3": 3}[digit] for digit in code if digit in "23"]
        ops += [conv2d((width, side, side), width, kernel) for kernel in kernels] * 5
        ops += [elementwise("batch_norm2d", (width, side, side))] * 5 * len(kernels)
    return [*ops, elementwise("batch_norm2d", (64, 8, 8)), linear((64,), 10)]


def test_nasbench201s_published_numbers_count_the_bias_of_the_classifier_too():
    with gzip.open(shared_data("nasbench201") / "nasbench201.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))[::25]
    assert params(nasbench201_ops("421211")) == 129_306
    for row in rows:
        assert macs(nasbench201_ops(row["arch_code"])) + 10 == round(float(row["c10_macs_m"]) * 1e6)
