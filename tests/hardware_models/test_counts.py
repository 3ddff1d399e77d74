"""Multiply-accumulates and weights, against PyTorch's own counts and published ones."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from shared_data import shared_data
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hardware_models.attention import self_attention
from hardware_models.counts import METRICS, Counts, activations, flops, layers, macs, params, weight_bytes
from hardware_models.op import Op, chain, conv2d, elementwise, linear
from hardware_models.torch_ops import build
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv
from spaces.nasbench201 import nasbench201
from tests.hardware_models.any_layers import layers_of_any_size
from tests.hardware_models.every_kind import OPS
from tests.hardware_models.published_networks import deit, resnet50
from tests.hardware_models.small_networks import IMAGE, chain_network, chain_ops

CONV_BN = chain("conv_bn", conv2d((3, 8, 8), 8, 3, bias=True), elementwise("batch_norm2d", (8, 8, 8)))


def counted_by_torch(module: nn.Module, shapes: tuple[tuple[int, ...], ...]) -> int:
    """Return half of the floating-point operations that PyTorch itself counts, without computing anything."""
    counter = FlopCounterMode(display=False)
    with torch.device("meta"), counter:
        module.to("meta")(*(torch.empty(1, *shape) for shape in shapes))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("op", OPS, ids=str)
def test_macs_are_half_of_what_torch_counts(op: Op):
    assert macs([op]) == counted_by_torch(build(op), op.inputs)


@given(layers_of_any_size)
@settings(max_examples=120)
def test_a_layer_of_any_size_counts_as_torch_counts_it(op: Op):
    module = build(op)
    assert flops([op]) == 2 * counted_by_torch(module, op.inputs)
    assert params([op]) == sum(weight.numel() for weight in module.parameters())


@given(layers_of_any_size)
@settings(max_examples=60)
def test_a_layer_of_any_size_puts_out_the_shape_that_it_says(op: Op):
    with torch.device("meta"):
        output = build(op).to("meta")(*(torch.empty(1, *shape) for shape in op.inputs))
    assert tuple(output.shape) == (1, *op.output)


@pytest.mark.parametrize("op", OPS, ids=str)
def test_params_are_those_of_the_module(op: Op):
    assert params([op]) == sum(weight.numel() for weight in build(op).parameters())


def test_a_whole_network_agrees_with_its_operators():
    network, ops = chain_network(24, 3), chain_ops(24, 3)
    assert macs(ops) == counted_by_torch(network, (IMAGE,)) == 2_820_336
    assert params(ops) == sum(weight.numel() for weight in network.parameters()) == 11_410


def test_an_operator_that_stands_twice_counts_twice():
    conv = conv2d((3, 15, 9), 16, 3)
    assert macs([conv, conv]) == 2 * macs([conv]) == 2 * 16 * 15 * 9 * 27


def test_layers_are_what_multiplies_within_composites_too():
    block = chain("mb", conv2d((8, 8, 8), 48, 1), elementwise("relu", (48, 8, 8)), conv2d((48, 8, 8), 8, 1))
    assert layers([block, self_attention((9, 8), 2), elementwise("relu", (8, 8, 8))]) == 2 + 3 + 0


def test_nothing_costs_nothing():
    assert dict(Counts(METRICS)(())) == dict.fromkeys(METRICS, 0.0)


def test_the_hardware_model_returns_floats_of_both():
    assert dict(Counts()([linear((32,), 10)])) == {"macs": 320.0, "params": 330.0}


def test_the_hardware_model_counts_what_it_is_asked_for():
    found = Counts(METRICS)([CONV_BN, linear((8,), 10)])
    assert dict(found) == {
        "macs": 36 * 64 * 3 * 2 + 80,
        "flops": 2 * (36 * 64 * 3 * 2 + 80),
        "params": 216 + 8 + 16 + 80 + 10,
        "params_without_norms": 216 + 8 + 80 + 10,
        "params_weights_only": 216 + 80,
        "weight_bytes": 4 * 330,
        "activations": 8 * 64 + 10,
    }


def test_a_metric_that_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="metric 'latency_ms' cannot be counted; expected some of macs, flops, params"):
        Counts(("macs", "latency_ms"))


def test_the_sum_of_terms_is_the_total():
    model, ops = Counts(METRICS), resnet50()
    sums = np.sum([model.terms(op) for op in ops], axis=0, keepdims=True)
    assert model.total(sums).tolist() == [list(model(ops).values())]


def test_params_without_norms_and_biases():
    assert (params([CONV_BN]), params([CONV_BN], norms=False)) == (240, 224)
    assert (params([CONV_BN], biases=False), params([CONV_BN], norms=False, biases=False)) == (232, 216)


def test_weights_take_the_bytes_of_their_dtype():
    half = Op("linear", ((8,),), (4,), dtype="float16")
    assert (weight_bytes([half]), weight_bytes([half, linear((8,), 4)])) == (64, 64 + 144)
    assert weight_bytes([half, linear((8,), 4)], dtype="int8") == 32 + 36


def test_flops_are_two_for_each_multiply_accumulate():
    assert flops([CONV_BN]) == 2 * macs([CONV_BN]) == 2 * 36 * 64 * 3 * 2


@pytest.mark.parametrize("count", [macs, params, activations])
def test_a_kind_that_cannot_be_counted_is_refused(count):
    with pytest.raises(ValueError, match="fourier 7x32 -> 7x32 is of a kind that cannot be counted"):
        count([elementwise("fourier", (7, 32))])


def test_a_dtype_of_unknown_size_is_refused():
    with pytest.raises(ValueError, match="unknown dtype 'int7'; expected one of float32, float16, bfloat16, int8"):
        weight_bytes([Op("linear", ((8,),), (4,), dtype="int7")])


@pytest.mark.parametrize(
    ("ops", "published"),
    [  # parameters to the last digit and MACs in thousands of millions; activations in millions, of timm's tables
        (resnet50(), (25_557_032, 4.089, 11.11)),
        (deit(192), (5_717_416, 1.254, 5.97)),
        (deit(384), (22_050_664, 4.599, 11.95)),
        (deit(768), (86_567_656, 17.564, 23.90)),
    ],
    ids=["resnet50", "deit_tiny", "deit_small", "deit_base"],
)
def test_published_counts(ops, published):
    assert (params(ops), round(macs(ops) / 1e9, 3), round(activations(ops) / 1e6, 2)) == published


@pytest.mark.parametrize("space", [nasbench201(), mbconv()], ids=["nasbench201", "mbconv"])
def test_networks_of_a_space_hold_what_is_counted(space):
    compiled = GenotypeSpace(space)
    for row in compiled.sample(6, np.random.default_rng(1)):
        candidate = compiled.decode(row)
        network, ops = candidate.build(), candidate.ops()
        if "none" in getattr(candidate, "edges", ()):
            ops = candidate.ops(live_only=False)  # the network holds the weights of dead edges too
        norms = sum(
            held.numel() for part in network.modules() if isinstance(part, nn.BatchNorm2d) for held in part.parameters()
        )
        weights = list(network.parameters())
        assert weight_bytes(ops) == sum(held.numel() * held.element_size() for held in weights)
        assert params(ops, norms=False) == sum(held.numel() for held in weights) - norms
        assert macs(candidate.ops()) == counted_by_torch(network.eval(), (candidate.input_shape,))


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
