"""Operators as PyTorch modules."""

from __future__ import annotations

import pytest
import torch

from hardware_models.op import Op, chain, conv2d, elementwise, linear
from hardware_models.torch_ops import build, example_inputs

OPS = (
    conv2d((3, 15, 9), 16, 3, stride=2),
    linear((32,), 10),
    elementwise("batch_norm2d", (4, 6, 6)),
    elementwise("layer_norm", (5, 8)),
    elementwise("add", (4, 6, 6), 3),
    elementwise("softmax", (5, 8)),
    *(
        elementwise(kind, (4, 6, 6))
        for kind in ("relu", "relu6", "hardswish", "hardsigmoid", "sigmoid", "silu", "gelu")
    ),
    elementwise("identity", (4, 6, 6)),
    Op("mul", ((4, 6, 6), (4, 1, 1)), (4, 6, 6)),
    Op("matmul", ((5, 8), (8, 3)), (5, 3)),
    Op("concat", ((4, 6, 6), (2, 6, 6)), (6, 6, 6)),
    Op("avg_pool2d", ((4, 6, 6),), (4, 6, 6), kernel=3, padding=1),
    Op("max_pool2d", ((4, 6, 6),), (4, 3, 3), kernel=2, stride=2),
    Op("adaptive_avg_pool2d", ((4, 6, 6),), (4, 2, 2)),
    Op("global_avg_pool", ((4, 6, 6),), (4,)),
    Op("global_avg_pool", ((4, 6, 6),), (4, 1, 1)),
    Op("flatten", ((4, 6, 6),), (144,)),
    chain("relu_conv", elementwise("relu", (4, 6, 6)), conv2d((4, 6, 6), 8, 3)),
)


def run(op: Op, batch: int = 2) -> torch.Tensor:
    """Return what the operator's module computes on its example inputs."""
    with torch.inference_mode():
        output: torch.Tensor = build(op)(*example_inputs(op, batch, torch.Generator().manual_seed(0)))
    return output


@pytest.mark.parametrize("op", OPS, ids=str)
def test_a_module_computes_the_declared_shape(op: Op):
    assert tuple(run(op).shape) == (2, *op.output)


def test_average_pooling_leaves_the_padding_out():
    pool = build(Op("avg_pool2d", ((1, 4, 4),), (1, 4, 4), kernel=3, padding=1))
    assert torch.equal(pool(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_an_addition_sums_all_of_its_inputs():
    add = build(elementwise("add", (3,), 3))
    assert add(torch.ones(1, 3), torch.ones(1, 3), torch.ones(1, 3)).tolist() == [[3.0, 3.0, 3.0]]


def test_a_bfloat16_operator_computes_in_bfloat16():
    assert run(Op("linear", ((8,),), (4,), dtype="bfloat16")).dtype == torch.bfloat16


def test_example_inputs_follow_the_generator():
    op = elementwise("relu", (4, 6, 6))
    first, second = (example_inputs(op, 1, torch.Generator().manual_seed(7))[0] for _ in range(2))
    assert torch.equal(first, second)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="there is no PyTorch module for the kind 'attention'"):
        build(elementwise("attention", (4, 6, 6)))


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ValueError, match="dtype 'int8' cannot be timed with PyTorch; expected one of float32"):
        build(Op("relu", ((4,),), (4,), dtype="int8"))
