"""A vision transformer without some of its heads, neurons and dimensions: physically smaller, of any ViT as timm's.

Expected are `patch_embed.proj`, `cls_token`, `pos_embed`, `blocks` of `norm1`, `attn.qkv`, `attn.proj`,
`attn.num_heads`, `norm2`, `mlp.fc1` and `mlp.fc2`, then `norm` and `head`. Without heads, neurons and dimensions of
queries, keys and values a block computes what it did with them at zero; without dimensions of the embedding its norms
see fewer numbers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class BlockUnits:
    """What stays of a block, by number, ascending: heads, dimensions of each head's queries and values, neurons."""

    heads: np.ndarray
    qk: np.ndarray
    v: np.ndarray
    mlp: np.ndarray


@dataclass(frozen=True, slots=True)
class Units:
    """What stays of a transformer: of each block, and of the embedding, by number; None for all of it."""

    blocks: tuple[BlockUnits, ...]
    embedding: np.ndarray | None = None


class CutAttention(nn.Module):
    """Attention whose queries and keys have another size than its values; scores are scaled as they were before."""

    def __init__(self, whole: Any, units: BlockUnits, embedding: np.ndarray) -> None:
        super().__init__()
        size = whole.qkv.weight.shape[0] // 3
        each = size // whole.num_heads
        self.num_heads, self.scale = len(units.heads), each**-0.5
        rows = {part: (units.heads[:, None] * each + dimensions).ravel() for part, dimensions in
                (("qk", units.qk), ("v", units.v))}  # fmt: skip
        self.q, self.k, self.v = (
            _linear(whole.qkv, number * size + rows["qk" if number < 2 else "v"], embedding) for number in range(3)
        )
        self.proj = _linear(whole.proj, embedding, rows["v"])

    def queries_keys_values(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the heads' queries, keys and values, each (n, heads, tokens, width of a head)."""
        queries, keys, values = (
            layer(tokens).unflatten(2, (self.num_heads, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v)
        )
        return queries, keys, values

    def forward(self, tokens: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """Return tokens (n, tokens, width) of the same shape; what else timm gives is as PyTorch's attention has it."""
        queries, keys, values = self.queries_keys_values(tokens)
        attended = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=attn_mask, is_causal=is_causal, scale=self.scale
        )
        outputs: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return outputs


def whole_units(model: Any) -> list[BlockUnits]:
    """Return all units of each block. Raises ValueError for a model of other names, and norms within attention."""
    try:
        norms = [getattr(block.attn, name, None) for block in model.blocks for name in ("q_norm", "k_norm", "norm")]
        if not all(norm is None or isinstance(norm, nn.Identity) for norm in norms):
            raise AttributeError("its attention has norms of its own")
        return [
            BlockUnits(
                np.arange(block.attn.num_heads),
                *(np.arange(block.attn.qkv.weight.shape[0] // 3 // block.attn.num_heads),) * 2,
                np.arange(block.mlp.fc1.weight.shape[0]),
            )
            for block in model.blocks
        ]
    except (AttributeError, TypeError) as error:
        raise ValueError(
            f"{type(model).__name__} is no vision transformer with timm's names: {error}. "
            "One whose channels are pruned is none any more: cut units first"
        ) from None


def cut(model: nn.Module, units: Units) -> nn.Module:
    """Return a copy of a vision transformer of which only these units stay.

    Raises:
      ValueError: for a model of other names, another number of blocks, and units of which none stay.
    """
    whole = whole_units(model)
    blocks, embedding = units.blocks, units.embedding
    if len(blocks) != len(whole) or any(min(map(len, (u.heads, u.qk, u.v, u.mlp))) < 1 for u in blocks):
        raise ValueError(f"expected units of {len(whole)} blocks, at least one of each kind, got {len(blocks)} blocks")
    smaller: Any = copy.deepcopy(model)
    stays = np.arange(smaller.pos_embed.shape[-1]) if embedding is None else embedding
    for block, kept in zip(smaller.blocks, blocks, strict=True):
        block.attn = CutAttention(block.attn, kept, stays)
        block.mlp.fc1 = _linear(block.mlp.fc1, kept.mlp, stays)
        block.mlp.fc2 = _linear(block.mlp.fc2, stays, kept.mlp)
    if embedding is not None:
        _cut_embedding(smaller, stays)
    return smaller  # type: ignore[no-any-return]  # torch's modules have attributes of any type


def _cut_embedding(smaller: Any, stays: np.ndarray) -> None:
    chosen = torch.from_numpy(stays)
    projection = smaller.patch_embed.proj
    projection.weight = nn.Parameter(projection.weight.detach()[chosen])
    projection.bias = nn.Parameter(projection.bias.detach()[chosen])
    projection.out_channels = len(stays)
    for name in ("cls_token", "pos_embed"):
        setattr(smaller, name, nn.Parameter(getattr(smaller, name).detach()[..., chosen]))
    for path, module in list(smaller.named_modules()):
        if isinstance(module, nn.LayerNorm):
            norm = nn.LayerNorm(len(stays), module.eps)
            norm.weight, norm.bias = (nn.Parameter(tensor.detach()[chosen]) for tensor in (module.weight, module.bias))
            parent, _, name = path.rpartition(".")
            setattr(smaller.get_submodule(parent), name, norm)
    smaller.head = _linear(smaller.head, np.arange(smaller.head.weight.shape[0]), stays)


def _linear(module: Any, outputs: np.ndarray, inputs: np.ndarray) -> nn.Linear:
    """Return a linear layer of some outputs and inputs of one."""
    weight = module.weight.detach()[torch.from_numpy(outputs)][:, torch.from_numpy(inputs)]
    layer = nn.Linear(len(inputs), len(outputs), bias=module.bias is not None)
    layer.weight = nn.Parameter(weight.clone())
    if module.bias is not None:
        layer.bias = nn.Parameter(module.bias.detach()[torch.from_numpy(outputs)].clone())
    return layer
