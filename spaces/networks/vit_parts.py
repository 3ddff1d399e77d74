"""The parts of a vision transformer of any known layout, between which tokens can be removed.

Known are this project's and timm's (`timm.models.vision_transformer`), by the names of their submodules, and what
`spaces.compression.vit_cut` leaves of either; `spaces.networks.torchvision_vit` brings torchvision's to this project's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from spaces.compression.vit_cut import CutAttention
from spaces.networks.torchvision_vit import TORCHVISION
from spaces.networks.vit import ViT, mean_of_patches
from spaces.token_compression.layouts import Block, Layout

TIMM = ("patch_embed", "cls_token", "pos_embed", "blocks", "norm", "head")


class BlockParts(NamedTuple):
    """One block, as functions of tokens (n, tokens, width); what the last two return is added to their input.

    Attributes:
      queries_keys_values: of tokens, each (n, heads, tokens, width of a head).
      project: what was attended to, (n, tokens, width).
      feed_forward: the perceptron with its norm.
      scale: what products of queries and keys are multiplied by; None for one over the root of a query's width.
    """

    queries_keys_values: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
    project: Callable[[Tensor], Tensor]
    feed_forward: Callable[[Tensor], Tensor]
    scale: float | None


class Parts(NamedTuple):
    """A transformer in parts.

    Attributes:
      embed: images to tokens, the class token first.
      blocks: in the order they run.
      classify: tokens, and their sizes (n, tokens) or None, to logits.
    """

    embed: Callable[[Tensor], Tensor]
    blocks: Sequence[BlockParts]
    classify: Callable[[Tensor, Tensor | None], Tensor]


def parts(model: nn.Module) -> Parts:
    """Return the parts of a model, which share its weights.

    Raises:
      ValueError: for a model of no known layout, or several tokens before the patches.
    """
    if isinstance(model, ViT):
        return Parts(model.embed, [_block(block) for block in model.blocks], model.classify)
    if all(hasattr(model, name) for name in TIMM):
        return _timm(model)
    raise ValueError(
        f"{type(model).__name__} is no vision transformer of a known layout: expected the submodules "
        f"{', '.join(TIMM)} (timm's) or {', '.join(TORCHVISION)} (torchvision's)"
    )


def layout_of(model: Any) -> Layout:
    """Return the sizes of a model, of which units may be cut. Raises ValueError as `parts`."""
    parts(model)
    patches, blocks = model.patch_embed.proj, tuple(map(_sizes, model.blocks))
    pool = model.layout.pool if isinstance(model, ViT) else _pool(model)
    side = round((model.pos_embed.shape[1] - 1) ** 0.5) * patches.kernel_size[0]
    sides = patches.kernel_size[0], side, patches.in_channels, model.head.out_features
    if all(block.packed for block in blocks):
        width = patches.out_channels
        return Layout(width, len(blocks), blocks[0].heads, *sides, blocks[0].mlp // width, pool)
    return Layout(patches.out_channels, len(blocks), max(block.heads for block in blocks), *sides, 1, pool, blocks)


def _sizes(block: Any) -> Block:
    attention, hidden = block.attn, block.mlp.fc1.out_features
    heads = attention.num_heads
    if isinstance(attention, CutAttention):
        qk, v = (layer.out_features // heads for layer in (attention.k, attention.v))
        return Block(heads, qk, v, hidden)
    each = attention.qkv.out_features // 3 // heads
    return Block(heads, each, each, hidden, packed=True)


def _timm(model: Any) -> Parts:
    prefix, pool = getattr(model, "num_prefix_tokens", 1), _pool(model)
    if prefix != 1 or pool is None or not hasattr(model, "_pos_embed"):
        raise ValueError(
            f"expected a transformer of timm with one class token, pooled by 'token' or 'avg'; this one has {prefix} "
            f"tokens before the patches and {getattr(model, 'global_pool', None)!r}"
        )

    def embed(images: Tensor) -> Tensor:
        tokens: Tensor = model.norm_pre(model._pos_embed(model.patch_embed(images)))
        return tokens

    def classify(tokens: Tensor, sizes: Tensor | None) -> Tensor:
        tokens = model.norm(tokens)
        pooled = tokens[:, 0] if pool == "class" else mean_of_patches(tokens, sizes)
        logits: Tensor = model.head(model.head_drop(model.fc_norm(pooled)))
        return logits

    return Parts(embed, [_block(block) for block in model.blocks], classify)


def _pool(model: Any) -> Any:
    return {"token": "class", "avg": "mean"}.get(getattr(model, "global_pool", "token"))


def _block(block: Any) -> BlockParts:
    plain, attention = nn.Identity(), block.attn
    of_queries, of_keys = (getattr(attention, name, plain) for name in ("q_norm", "k_norm"))
    inner, dropout = getattr(attention, "norm", plain), getattr(attention, "proj_drop", plain)
    scales = [getattr(block, name, plain) for name in ("ls1", "ls2")]
    drops = [getattr(block, name, plain) for name in ("drop_path1", "drop_path2")]

    def queries_keys_values(tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, values = _split(attention, block.norm1(tokens))
        return of_queries(queries), of_keys(keys), values

    def project(attended: Tensor) -> Tensor:
        added: Tensor = drops[0](scales[0](dropout(attention.proj(inner(attended)))))
        return added

    def feed_forward(tokens: Tensor) -> Tensor:
        added: Tensor = drops[1](scales[1](block.mlp(block.norm2(tokens))))
        return added

    return BlockParts(queries_keys_values, project, feed_forward, getattr(attention, "scale", None))


def _split(attention: Any, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values, each (n, heads, tokens, width of a head)."""
    if isinstance(attention, CutAttention):
        return attention.queries_keys_values(tokens)
    packed = attention.qkv(tokens).unflatten(2, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    return packed[0], packed[1], packed[2]
