"""Multiply-accumulates, weights and layers of a network, counted from its operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod

from hardware_models.op import Op

WEIGHTLESS = frozenset(
    {"add", "concat", "dropout", "flatten", "identity", "mul"}
    | {"adaptive_avg_pool2d", "avg_pool2d", "global_avg_pool", "max_pool2d"}
    | {"gelu", "hardsigmoid", "hardswish", "relu", "relu6", "sigmoid", "silu", "softmax"}
)
"""Plain kinds that hold no weights and multiply nothing by any."""


class Counts:
    """The hardware model that is the same on every device: `macs` and `params`."""

    metrics = ("macs", "params")

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return `macs` of one image and `params`, both whole numbers; see the functions of these names."""
        return {"macs": float(macs(ops)), "params": float(params(ops))}


def macs(ops: Sequence[Op]) -> int:
    """Return the multiply-accumulates of one image: half of what `torch.utils.flop_counter` counts.

    Convolutions, linear layers and matrix products count. Biases, normalisation, activations, pooling and additions
    do not. NAS-Bench-201's published numbers also count one for each bias addition, of which its networks have as many
    as classes: they are `macs(ops) + classes`.

    Raises:
      ValueError: for a plain operator of an unknown kind.
    """
    return sum(map(_macs, ops))


def params(ops: Sequence[Op]) -> int:
    """Return the trainable weights: of convolutions, linear layers and norms (scale and shift), biases included.

    Running statistics are no weights. An operator that stands twice is taken for two layers with their own weights.

    Raises:
      ValueError: for a plain operator of an unknown kind.
    """
    return sum(map(_params, ops))


def layers(ops: Sequence[Op]) -> int:
    """Return how many convolutions, linear layers and matrix products there are, those within composites included."""
    return sum(map(_layers, ops))


@lru_cache(maxsize=65536)
def _layers(op: Op) -> int:
    return layers(op.inner) if op.inner else int(op.kind in ("conv2d", "linear", "matmul"))


@lru_cache(maxsize=65536)
def _macs(op: Op) -> int:
    if op.inner:
        return macs(op.inner)
    match op.kind:
        case "conv2d":
            return prod(op.output) * (op.inputs[0][0] // op.groups) * op.kernel**2
        case "linear" | "matmul":
            return prod(op.output) * op.inputs[0][-1]
        case "batch_norm2d" | "layer_norm":
            return 0
    return _nothing(op)


@lru_cache(maxsize=65536)
def _params(op: Op) -> int:
    if op.inner:
        return params(op.inner)
    match op.kind:
        case "conv2d":
            return op.output[0] * ((op.inputs[0][0] // op.groups) * op.kernel**2 + op.bias)
        case "linear":
            return op.output[-1] * (op.inputs[0][-1] + op.bias)
        case "batch_norm2d" | "layer_norm":
            return 2 * op.output[0 if op.kind == "batch_norm2d" else -1]
        case "matmul":
            return 0
    return _nothing(op)


def _nothing(op: Op) -> int:
    """Return 0 for a kind that is known to cost nothing, so that a misspelt or new kind is not taken for free."""
    if op.kind not in WEIGHTLESS:
        raise ValueError(f"the operator {op} is of a kind that cannot be counted; add {op.kind!r} to {__name__}")
    return 0
