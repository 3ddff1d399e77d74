"""PyTorch's multi-head attention in parts: linear layers of their own, whose heads can be removed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

PACKED = ("query", "key", "value")
"""The order in which PyTorch's module holds its weights."""


class SplitAttention(nn.Module):
    """What `nn.MultiheadAttention` computes without masks; it reads that one's weights too.

    Attributes:
      num_heads, dropout, batch_first: as that one's.
    """

    def __init__(self, whole: nn.MultiheadAttention) -> None:
        """Take the weights of a module to which `splittable` applies."""
        super().__init__()
        self.num_heads, self.dropout, self.batch_first = whole.num_heads, whole.dropout, whole.batch_first
        width, bias = whole.embed_dim, whole.in_proj_bias is not None
        self.query, self.key, self.value = (nn.Linear(width, width, bias) for _ in PACKED)
        self.out_proj = nn.Linear(width, width, whole.out_proj.bias is not None)
        self.to(whole.out_proj.weight.device, whole.out_proj.weight.dtype).train(whole.training)
        self.register_load_state_dict_pre_hook(_unpack)  # type: ignore[no-untyped-call]
        self.load_state_dict(whole.state_dict())

    def forward(self, query: Tensor, key: Tensor, value: Tensor, need_weights: bool = False) -> tuple[Tensor, None]:
        """Return outputs of the shape of `query`, and no weights."""
        del need_weights
        turned = [each if self.batch_first else each.transpose(0, 1) for each in (query, key, value)]
        queries, keys, values = (
            layer(each).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for layer, each in zip((self.query, self.key, self.value), turned, strict=True)
        )
        dropout = self.dropout if self.training else 0.0
        attended = functional.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout)
        outputs = self.out_proj(attended.transpose(1, 2).flatten(2))
        return (outputs if self.batch_first else outputs.transpose(0, 1)), None


def _unpack(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Give the weights of a packed module the names of the parts."""
    del module
    for name in ("weight", "bias"):
        packed = state.pop(f"{prefix}in_proj_{name}", None)
        if packed is not None:
            state.update(zip((f"{prefix}{part}.{name}" for part in PACKED), packed.chunk(3), strict=True))


def splittable(node: fx.Node, module: nn.Module) -> bool:
    """Return whether a call of PyTorch's attention has neither masks nor other sizes, and no reader of its scores."""
    if not isinstance(module, nn.MultiheadAttention) or not module._qkv_same_embed_dim:
        return False
    if (
        module.bias_k is not None
        or module.add_zero_attn
        or len(node.args) > 3
        or set(node.kwargs) - {*PACKED, "need_weights"}
    ):
        return False
    return all(user.args[1:] == (0,) for user in node.users) or node.kwargs.get("need_weights") is False


def to_split(traced: fx.GraphModule) -> tuple[str, ...]:
    """Return the paths of attention modules all of whose calls are `splittable`."""
    calls: dict[str, list[bool]] = {}
    for node in traced.graph.nodes:
        if node.op == "call_module":
            fits = splittable(node, traced.get_submodule(str(node.target)))
            calls.setdefault(str(node.target), []).append(fits)
    return tuple(path for path, fits in calls.items() if all(fits))


def split(model: nn.Module, paths: Sequence[str]) -> nn.Module:
    """Return a copy of a model with parts in place of these attention modules; itself where there are none any more."""
    packed = [path for path in paths if isinstance(model.get_submodule(path), nn.MultiheadAttention)]
    if not packed:
        return model
    with torch.no_grad(), torch.random.fork_rng([]):
        copied = copy.deepcopy(model)
        for path in packed:
            parent, _, name = path.rpartition(".")
            setattr(copied.get_submodule(parent), name, SplitAttention(copied.get_submodule(path)))  # type: ignore[arg-type]
    return copied
