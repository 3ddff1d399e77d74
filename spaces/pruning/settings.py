"""Nodes of a traced graph as operators: their kind in `hardware_models.kinds`, and the settings of an `Op`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import fx

from spaces.pruning import kinds
from spaces.pruning.channels import Channels

SKIPPED = ("dropout", "nothing")
"""What is no operator when the network is used."""

Described = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """A node with its module, None where it calls a function, and the shapes of its first input and its output."""

    node: fx.Node
    module: Any
    before: tuple[int, ...]
    after: tuple[int, ...]


def kind_and_settings(node: fx.Node, found: Channels) -> Described:
    """Return the kind of a node's operator and its settings; groups `depthwise` are as many as the input channels.

    Raises:
      ValueError: for a node that no kind of operator describes.
    """
    module = found.traced.get_submodule(str(node.target)) if node.op == "call_module" else None
    name = type(module).__name__.lower() if module is not None else kinds.target_name(node)
    if name in _KINDS:
        return _KINDS[name], {}
    if name not in _DESCRIBED:
        raise ValueError(f"{node.name}: there is no kind of operator for {name!r}, so that it cannot be costed")
    before = found.shapes.get(node.all_input_nodes[0].name, ())
    return _DESCRIBED[name](Call(node, module, before, found.shapes[node.name]))


def _moved(call: Call) -> Described:
    if kinds.target_name(call.node) == "getitem" and len(call.before) == 3 and len(call.after) == 2:
        return "first_token", {}
    return ("flatten" if len(call.after) == 2 and len(call.before) > 2 else "identity"), {}


def _convolution(call: Call) -> Described:
    module = call.module
    padding = module.padding
    if isinstance(padding, str):
        sides = zip(module.kernel_size, module.dilation, strict=True)
        padding = tuple(dilation * (kernel - 1) // 2 if padding == "same" else 0 for kernel, dilation in sides)
    depthwise = module.groups > 1 and module.groups == module.in_channels
    settings = _directed(call.node, module.kernel_size, module.stride, padding, module.dilation)
    groups = "depthwise" if depthwise else module.groups
    return "conv2d", {**settings, "groups": groups, "bias": module.bias is not None}


def _directed(node: fx.Node, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> dict[str, Any]:
    """Return the settings of a window that is a square, or a line of one of the two directions."""
    both = [pair if isinstance(pair, tuple | list) else (pair, pair) for pair in (kernel, stride, padding, dilation)]
    height, width = ([pair[place] for pair in both] for place in (0, 1))
    names = ("kernel", "stride", "padding", "dilation")
    if height == width:
        return dict(zip(names, height, strict=True))
    for along, chosen, other in (("height", height, width), ("width", width, height)):
        if other == [1, 1, 0, 1]:
            return {**dict(zip(names, chosen, strict=True)), "along": along}
    raise ValueError(f"{node.name}: a window of {height} by {width} is no square and no line; it cannot be costed")


def _linear(call: Call) -> Described:
    return "linear", {"bias": call.module.bias is not None}


def _group_norm(call: Call) -> Described:
    return "group_norm", {"groups": call.module.num_groups}


def _pool(kind: str) -> Callable[[Call], Described]:
    def describe(call: Call) -> Described:
        node, module = call.node, call.module
        if module is not None:
            kernel, stride, padding = module.kernel_size, module.stride, module.padding
        else:
            kernel = kinds.argument(node, 1, "kernel_size")
            stride = kinds.argument(node, 2, "stride") or kernel
            padding = kinds.argument(node, 3, "padding") or 0
        return kind, _directed(call.node, kernel, stride, padding)

    return describe


def _adaptive(kind: str) -> Callable[[Call], Described]:
    def describe(call: Call) -> Described:
        whole = all(side == 1 for side in call.after[2:])
        return ("global_avg_pool" if whole and kind == "avg" else f"adaptive_{kind}_pool2d"), {}

    return describe


def _mean(call: Call) -> Described:
    before, after = call.before, call.after
    if len(before) == 4 and after in (before[:2], (*before[:2], 1, 1)):
        return "global_avg_pool", {}
    if len(before) == 3 and after == (before[0], before[2]):
        return "token_mean", {}
    raise ValueError(
        f"{call.node.name}: a mean from {before} to {after} is of no kind of operator; it cannot be costed"
    )


def _resize(call: Call) -> Described:
    mode = call.module.mode if call.module is not None else kinds.argument(call.node, 3, "mode") or "nearest"
    return ("resize_bilinear" if mode == "bilinear" else "resize_nearest"), {}


_KINDS = {
    "relu": "relu", "relu_": "relu", "relu6": "relu6", "leaky_relu": "leaky_relu", "elu": "elu", "gelu": "gelu",
    "silu": "silu", "mish": "mish", "sigmoid": "sigmoid", "tanh": "tanh", "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid", "dropout": "dropout", "dropout2d": "dropout", "identity": "nothing",
    "contiguous": "nothing", "float": "nothing", "clone": "nothing", "detach": "nothing", "leakyrelu": "leaky_relu",
    "softmax": "softmax", "layernorm": "layer_norm", "batchnorm1d": "batch_norm1d", "batchnorm2d": "batch_norm2d",
    "cat": "concat", "concat": "concat", "channelshuffle": "channel_shuffle",
    "matmul": "matmul", "bmm": "matmul",
    **{name: "mul" if "mul" in name or "div" in name else "add" for name in kinds.ARITHMETIC},
}  # fmt: skip

_DESCRIBED: dict[str, Callable[[Call], Described]] = {
    "conv2d": _convolution, "linear": _linear, "groupnorm": _group_norm, "mean": _mean,
    "max_pool2d": _pool("max_pool2d"), "maxpool2d": _pool("max_pool2d"), "upsample": _resize,
    "avg_pool2d": _pool("avg_pool2d"), "avgpool2d": _pool("avg_pool2d"), "interpolate": _resize,
    "adaptive_avg_pool2d": _adaptive("avg"), "adaptiveavgpool2d": _adaptive("avg"),
    "adaptive_max_pool2d": _adaptive("max"), "adaptivemaxpool2d": _adaptive("max"),
    **{name: _moved for name in (*kinds.MOVES, "pad", "zeropad2d", "unflatten") if name not in _KINDS},
}  # fmt: skip
