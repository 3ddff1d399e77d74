"""How the modules and functions of PyTorch treat channels, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import fx, nn

ELEMENTWISE_MODULES = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish,
    nn.Hardsigmoid, nn.Softplus, nn.Identity, nn.Dropout, nn.Dropout2d,
)  # fmt: skip
WINDOW_MODULES = (
    nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d, nn.Upsample,
)  # fmt: skip

ELEMENTWISE = (
    "relu", "relu_", "relu6", "leaky_relu", "elu", "gelu", "silu", "mish", "sigmoid", "tanh", "hardtanh", "hardswish",
    "hardsigmoid", "softplus", "dropout", "dropout2d", "clamp", "contiguous", "float", "clone", "detach", "neg", "abs",
)  # fmt: skip
ARITHMETIC = ("add", "iadd", "add_", "sub", "isub", "mul", "imul", "mul_", "truediv", "div")
WINDOWS = (
    "max_pool2d", "boolean_dispatch", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "interpolate",
)  # fmt: skip
REDUCTIONS = ("mean", "sum", "amax")
JOINING = ("cat", "concat", "stack")
VIEWS = (
    "flatten", "view", "reshape", "permute", "transpose", "chunk", "split", "squeeze", "unsqueeze", "getitem",
    "unflatten", "unbind", "swapaxes", "movedim",
)  # fmt: skip
MOVES = (*VIEWS, *JOINING, "channel_shuffle", "pixel_shuffle", "expand", "view_as")

FUNCTIONS: dict[str, str] = {
    **dict.fromkeys(ELEMENTWISE, "same"),
    **dict.fromkeys(ARITHMETIC, "elementwise"),
    **dict.fromkeys(WINDOWS, "window"),
    **dict.fromkeys(REDUCTIONS, "reduced"),
    **dict.fromkeys(MOVES, "moved"),
    **dict.fromkeys(("softmax", "log_softmax"), "along"),
    "pad": "padded",
    "matmul": "matmul",
    "bmm": "matmul",
    "scaled_dot_product_attention": "attention",
}
"""The rule of `spaces.pruning.walk.Walk` for each function and method of tensors."""


def function_name(function: Any) -> str:
    """Return the name of a function that a traced graph calls."""
    return str(getattr(function, "__name__", function))


def target_name(node: fx.Node) -> str:
    """Return what a node of a traced graph calls, by name: a module's path, or a method's or function's name."""
    return node.target if isinstance(node.target, str) else function_name(node.target)


def argument(node: fx.Node, place: int, name: str) -> Any:
    """Return an argument that was given by place or by name; None where it was not."""
    return node.args[place] if len(node.args) > place else node.kwargs.get(name)


def attention_arguments(node: fx.Node) -> dict[str, Any]:
    """Return the arguments of a call of PyTorch's scaled dot-product attention by name, None where not given."""
    names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
    return {name: argument(node, place, name) for place, name in enumerate(names)}


def pads(node: fx.Node, root: nn.Module) -> Sequence[int] | None:
    """Return the amounts of a padding with zeros, of the last axis first; None where it is of anything else."""
    if node.op == "call_module":
        padding: Any = root.get_submodule(str(node.target)).padding
        return tuple(padding)
    mode, value = argument(node, 2, "mode") or "constant", argument(node, 3, "value") or 0
    amounts = argument(node, 1, "pad")
    plain = mode == "constant" and value == 0 and all(isinstance(amount, int) for amount in amounts)
    return tuple(amounts) if plain else None


def pads_by_axis(amounts: Sequence[int] | None, axes: int) -> list[tuple[int, int]] | None:
    """Return what is put before and behind each of the axes; None for None or where something is cut off."""
    if amounts is None or any(amount < 0 for amount in amounts):
        return None
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    return [*[(0, 0)] * (axes - len(pairs)), *reversed(pairs)]
