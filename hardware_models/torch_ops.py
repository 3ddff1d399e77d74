"""Operators as PyTorch modules with example inputs: what a profiler runs."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial, reduce
from math import prod

import torch
from torch import Tensor, fx, nn
from torch.nn.functional import pad

from hardware_models import torch_tokens
from hardware_models.op import Op, directions

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class Apply(nn.Module):
    """A function of one input as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the function's value."""
        return self.function(inputs)


def build(op: Op) -> nn.Module:
    """Return a module that computes `op`, in evaluation mode, with weights drawn from PyTorch's default generator.

    A composite is its operators, each fed as its wiring says. Average pooling leaves the padding out of the mean. A
    global average pool drops the two axes that it averages where the operator's output has one axis.

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
    if op.wiring:
        return _wired(op)
    if op.inner:
        return nn.Sequential(*(_module(inner) for inner in op.inner))
    if op.kind in _PLAIN:
        return _PLAIN[op.kind]()
    if op.kind not in _SHAPED:
        known = ", ".join(sorted([*_PLAIN, *_SHAPED]))
        raise ValueError(f"{op}: there is no PyTorch module for the kind {op.kind!r}; expected one of {known}")
    return _SHAPED[op.kind](op)


def _wired(op: Op) -> nn.Module:
    """Return a traced module that runs a composite by its wiring, so that engines can trace it again."""
    graph = fx.Graph()
    values = [graph.placeholder(f"input_{number}") for number in range(len(op.inputs))]
    for number, sources in enumerate(op.wiring):
        values.append(graph.call_module(f"op_{number}", tuple(values[source] for source in sources)))
    graph.output(values[-1])
    parts = {f"op_{number}": _module(inner) for number, inner in enumerate(op.inner)}
    return fx.GraphModule(parts, graph)


def _of_inputs(function: Callable[..., object]) -> Callable[[Op], nn.Module]:
    """Return what makes a traced module of a function of an operator's inputs, two at a time from left to right."""

    def make(op: Op) -> nn.Module:
        graph = fx.Graph()
        inputs = [graph.placeholder(f"input_{number}") for number in range(len(op.inputs))]
        graph.output(reduce(lambda left, right: graph.call_function(function, (left, right)), inputs))
        return fx.GraphModule({}, graph)

    return make


def _concat(op: Op) -> nn.Module:
    graph = fx.Graph()
    inputs = [graph.placeholder(f"input_{number}") for number in range(len(op.inputs))]
    graph.output(graph.call_function(torch.cat, (inputs, 1)))
    return fx.GraphModule({}, graph)


def _conv2d(op: Op) -> nn.Module:
    kernel, stride, padding, dilation = directions(op)
    channels = op.inputs[0][0]
    return nn.Conv2d(channels, op.output[0], kernel, stride, padding, dilation, op.groups, bias=op.bias)


def _avg_pool2d(op: Op) -> nn.Module:
    kernel, stride, padding, _ = directions(op)
    return nn.AvgPool2d(kernel, stride, padding, count_include_pad=False)


def _max_pool2d(op: Op) -> nn.Module:
    return nn.MaxPool2d(*directions(op))


def _global_avg_pool(op: Op) -> nn.Module:
    pool = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(pool, nn.Flatten()) if len(op.output) == 1 else pool


def _channel_shuffle(op: Op) -> nn.Module:
    """Return a module by parts: ONNX has no operator for PyTorch's own."""
    groups, (channels, *sides) = op.groups, op.output
    return Apply(
        lambda images: images.reshape(-1, groups, channels // groups, *sides).transpose(1, 2).reshape(-1, *op.output)
    )


def _identity(op: Op) -> nn.Module:
    """Return what brings numbers from shape to shape: nothing, a reshape, or strided slices and padding with zeros."""
    (inputs,), output = op.inputs, op.output
    if inputs == output:
        return nn.Identity()
    if len(inputs) != len(output) or prod(inputs) == prod(output):
        return Apply(lambda numbers: numbers.reshape(-1, *output))
    steps = [-(-before // after) for before, after in zip(inputs, output, strict=True)]
    slices = (slice(None), *(slice(None, None, step) for step in steps))
    left = [-(-before // step) for before, step in zip(inputs, steps, strict=True)]
    pads = [amount for before, after in zip(left[::-1], output[::-1], strict=True) for amount in (0, after - before)]
    return Apply(lambda numbers: pad(numbers[slices], pads) if any(pads) else numbers[slices])


def _attention(op: Op) -> nn.Module:
    return torch_tokens.PackedAttention(op) if len(op.inputs) == 1 else torch_tokens.Attention(op)


def _first_token(tokens: Tensor) -> Tensor:
    return tokens[:, 0]


def _token_mean(tokens: Tensor) -> Tensor:
    return tokens.mean(1)


def _image_to_tokens(image: Tensor) -> Tensor:
    return image.flatten(2).transpose(1, 2)


_PLAIN: dict[str, Callable[[], nn.Module]] = {
    "dropout": nn.Dropout,
    "elu": nn.ELU,
    "first_token": partial(Apply, _first_token),
    "flatten": nn.Flatten,
    "gelu": nn.GELU,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "image_to_tokens": partial(Apply, _image_to_tokens),
    "leaky_relu": nn.LeakyReLU,
    "mish": nn.Mish,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softmax": partial(nn.Softmax, -1),
    "tanh": nn.Tanh,
    "token_mean": partial(Apply, _token_mean),
}

_SHAPED: dict[str, Callable[[Op], nn.Module]] = {
    "identity": _identity,
    "adaptive_avg_pool2d": lambda op: nn.AdaptiveAvgPool2d((op.output[1], op.output[2])),
    "adaptive_max_pool2d": lambda op: nn.AdaptiveMaxPool2d((op.output[1], op.output[2])),
    "add": _of_inputs(operator.add),
    "attention": _attention,
    "avg_pool2d": _avg_pool2d,
    "batch_norm1d": lambda op: torch_tokens.TokenNorm(op.output[-1]),
    "batch_norm2d": lambda op: nn.BatchNorm2d(op.output[0]),
    "channel_shuffle": _channel_shuffle,
    "class_token": lambda op: torch_tokens.ClassToken(op.output[1]),
    "concat": _concat,
    "conv2d": _conv2d,
    "global_avg_pool": _global_avg_pool,
    "group_norm": lambda op: nn.GroupNorm(op.groups, op.output[0]),
    "layer_norm": lambda op: nn.LayerNorm(op.output[-1]),
    "linear": lambda op: nn.Linear(op.inputs[0][-1], op.output[-1], bias=op.bias),
    "matmul": _of_inputs(torch.matmul),
    "max_pool2d": _max_pool2d,
    "mul": _of_inputs(operator.mul),
    "position_embedding": lambda op: torch_tokens.PositionEmbedding(op.output),
    "resize_bilinear": lambda op: nn.Upsample(op.output[1:], mode="bilinear"),
    "resize_nearest": lambda op: nn.Upsample(op.output[1:]),
    "split": lambda op: Apply(lambda inputs: inputs[:, : op.output[0]]),
    "token_importance": lambda op: torch_tokens.TokenImportance(op.heads),
    "token_merge": lambda op: torch_tokens.TokenMerge(op.output[0]),
    "token_prune": lambda op: torch_tokens.TokenPrune(op.output[0]),
    "tokens_to_image": lambda op: Apply(lambda tokens: tokens.transpose(1, 2).reshape(-1, *op.output)),
}

KINDS = frozenset({*_PLAIN, *_SHAPED})
"""The kinds of plain operators that can be built."""
