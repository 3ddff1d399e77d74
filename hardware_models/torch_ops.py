"""Operators as PyTorch modules with example inputs: what a profiler runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor, nn

from hardware_models.op import Op

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class Add(nn.Module):
    """The sum of two inputs, which `torch.fx` can trace: in a network an addition is no module that is called."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the sum, broadcast as PyTorch does."""
        return first + second


class AddAll(nn.Module):
    """The sum of any number of inputs, from left to right."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the sum; all inputs have one shape."""
        return reduce(torch.add, inputs)


class Multiply(nn.Module):
    """The product of two inputs, e.g. of features and the gates of a squeeze-and-excitation."""

    def forward(self, features: Tensor, gates: Tensor) -> Tensor:
        """Return the product, broadcast as PyTorch does."""
        return features * gates


class Concat(nn.Module):
    """Its inputs side by side, along the channels."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the inputs joined along axis 1."""
        return torch.cat(inputs, dim=1)


class MatMul(nn.Module):
    """The matrix product of two inputs."""

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the product over the last axis of `left` and the last but one of `right`."""
        return left @ right


def build(op: Op) -> nn.Module:
    """Return a module that computes `op`, in evaluation mode, with weights drawn from PyTorch's default generator.

    A composite is its operators in order. Average pooling leaves the padding out of the mean. A global average pool
    drops the two axes that it averages where the operator's output has one axis.

    Raises:
      ValueError: for a kind or dtype that PyTorch cannot run here.
    """
    if op.dtype not in DTYPES:
        raise ValueError(f"{op}: dtype {op.dtype!r} cannot be timed with PyTorch; expected one of {', '.join(DTYPES)}")
    return _module(op).to(DTYPES[op.dtype]).eval()


def example_inputs(op: Op, batch: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Return one tensor of shape (batch, *shape) for each of the operator's inputs, standard normal."""
    return tuple(
        torch.randn(batch, *shape, generator=generator).to(DTYPES.get(op.dtype, torch.float32)) for shape in op.inputs
    )


def _module(op: Op) -> nn.Module:
    if op.inner:
        return nn.Sequential(*(_module(inner) for inner in op.inner))
    if op.kind in _PLAIN:
        return _PLAIN[op.kind]()
    if op.kind not in _SHAPED:
        known = ", ".join(sorted([*_PLAIN, *_SHAPED]))
        raise ValueError(f"{op}: there is no PyTorch module for the kind {op.kind!r}; expected one of {known}")
    return _SHAPED[op.kind](op)


def _conv2d(op: Op) -> nn.Module:
    channels = op.inputs[0][0]
    return nn.Conv2d(channels, op.output[0], op.kernel, op.stride, op.padding, op.dilation, op.groups, bias=op.bias)


def _avg_pool2d(op: Op) -> nn.Module:
    return nn.AvgPool2d(op.kernel, op.stride, op.padding, count_include_pad=False)


def _max_pool2d(op: Op) -> nn.Module:
    return nn.MaxPool2d(op.kernel, op.stride, op.padding, op.dilation)


def _global_avg_pool(op: Op) -> nn.Module:
    pool = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(pool, nn.Flatten()) if len(op.output) == 1 else pool


_PLAIN: dict[str, Callable[[], nn.Module]] = {
    "concat": Concat,
    "flatten": nn.Flatten,
    "gelu": nn.GELU,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "identity": nn.Identity,
    "matmul": MatMul,
    "mul": Multiply,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softmax": lambda: nn.Softmax(-1),
}

_SHAPED: dict[str, Callable[[Op], nn.Module]] = {
    "adaptive_avg_pool2d": lambda op: nn.AdaptiveAvgPool2d((op.output[1], op.output[2])),
    "add": lambda op: Add() if len(op.inputs) == 2 else AddAll(),
    "avg_pool2d": _avg_pool2d,
    "batch_norm2d": lambda op: nn.BatchNorm2d(op.output[0]),
    "conv2d": _conv2d,
    "global_avg_pool": _global_avg_pool,
    "layer_norm": lambda op: nn.LayerNorm(op.output[-1]),
    "linear": lambda op: nn.Linear(op.inputs[0][-1], op.output[-1], bias=op.bias),
    "max_pool2d": _max_pool2d,
}
