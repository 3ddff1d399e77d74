"""The parts of a vision transformer of any known layout, between which tokens can be removed.

Known are this project's, timm's (`timm.models.vision_transformer`) and torchvision's (`torchvision.models.vit_b_16` and
its kin), by the names of their submodules; neither package is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from spaces.networks.vit import ViT, mean_of_patches
from spaces.token_compression.layouts import Layout

TIMM = ("patch_embed", "cls_token", "pos_embed", "blocks", "norm", "head")
TORCHVISION = ("conv_proj", "class_token", "encoder", "heads")


class BlockParts(NamedTuple):
    """One block, as functions of tokens (n, tokens, width); what the last two return is added to their input.

    Attributes:
      queries_keys_values: of tokens, each (n, heads, tokens, width of a head).
      project: what was attended to, (n, tokens, width).
      feed_forward: the perceptron with its norm.
    """

    queries_keys_values: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
    project: Callable[[Tensor], Tensor]
    feed_forward: Callable[[Tensor], Tensor]


class Parts(NamedTuple):
    """A transformer in parts.

    Attributes:
      layout: its sizes.
      embed: images to tokens, the class token first.
      blocks: in the order they run.
      classify: tokens, and their sizes (n, tokens) or None, to logits.
    """

    layout: Layout
    embed: Callable[[Tensor], Tensor]
    blocks: Sequence[BlockParts]
    classify: Callable[[Tensor, Tensor | None], Tensor]


def parts(model: nn.Module) -> Parts:
    """Return the parts of a model, which share its weights.

    Raises:
      ValueError: for a model of no known layout, several tokens before the patches, or layers that do not stand there.
    """
    if isinstance(model, ViT):
        return Parts(model.layout, model.embed, [_timm_block(block) for block in model.blocks], model.classify)
    if all(hasattr(model, name) for name in TIMM):
        return _timm(model)
    if all(hasattr(model, name) for name in TORCHVISION):
        return _torchvision(model)
    raise ValueError(
        f"{type(model).__name__} is no vision transformer of a known layout: expected the submodules "
        f"{', '.join(TIMM)} (timm's) or {', '.join(TORCHVISION)} (torchvision's)"
    )


def _timm(model: Any) -> Parts:
    prefix = getattr(model, "num_prefix_tokens", 1)
    pool = {"token": "class", "avg": "mean"}.get(getattr(model, "global_pool", "token"))
    if prefix != 1 or pool is None or not hasattr(model, "_pos_embed"):
        raise ValueError(
            f"expected a transformer of timm with one class token, pooled by 'token' or 'avg'; this one has {prefix} "
            f"tokens before the patches and {getattr(model, 'global_pool', None)!r}"
        )
    block, convolution = model.blocks[0], model.patch_embed.proj
    layout = _layout(convolution, model.pos_embed, block.attn, block.mlp.fc1.out_features, model.head)
    layout = replace(layout, depth=len(model.blocks), pool=pool)

    def embed(images: Tensor) -> Tensor:
        tokens: Tensor = model.norm_pre(model._pos_embed(model.patch_embed(images)))
        return tokens

    def classify(tokens: Tensor, sizes: Tensor | None) -> Tensor:
        tokens = model.norm(tokens)
        pooled = tokens[:, 0] if pool == "class" else mean_of_patches(tokens, sizes)
        logits: Tensor = model.head(model.head_drop(model.fc_norm(pooled)))
        return logits

    return Parts(layout, embed, [_timm_block(block) for block in model.blocks], classify)


def _layout(patches: Any, positions: Tensor, attention: Any, hidden: int, head: Any) -> Layout:
    """Return the sizes of a transformer of one block, pooled by its class token."""
    width, patch = patches.out_channels, patches.kernel_size[0]
    side = round((positions.shape[1] - 1) ** 0.5) * patch
    return Layout(width, 1, attention.num_heads, patch, side, patches.in_channels, head.out_features, hidden // width)


def _split(packed: Tensor, heads: int) -> Tensor:
    """Return queries, keys and values (3, n, heads, tokens, width of a head) that lay side by side."""
    return packed.reshape(*packed.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)


def _timm_block(block: Any) -> BlockParts:
    plain, attention = nn.Identity(), block.attn
    of_queries, of_keys = (getattr(attention, name, plain) for name in ("q_norm", "k_norm"))
    inner, dropout = getattr(attention, "norm", plain), getattr(attention, "proj_drop", plain)
    scales = [getattr(block, name, plain) for name in ("ls1", "ls2")]
    drops = [getattr(block, name, plain) for name in ("drop_path1", "drop_path2")]

    def queries_keys_values(tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, values = _split(attention.qkv(block.norm1(tokens)), attention.num_heads)
        return of_queries(queries), of_keys(keys), values

    def project(attended: Tensor) -> Tensor:
        added: Tensor = drops[0](scales[0](dropout(attention.proj(inner(attended)))))
        return added

    def feed_forward(tokens: Tensor) -> Tensor:
        added: Tensor = drops[1](scales[1](block.mlp(block.norm2(tokens))))
        return added

    return BlockParts(queries_keys_values, project, feed_forward)


def _torchvision(model: Any) -> Parts:
    blocks = list(model.encoder.layers)
    first, head = blocks[0], [module for module in model.heads.modules() if isinstance(module, nn.Linear)]
    hidden = next(module.out_features for module in first.mlp.modules() if isinstance(module, nn.Linear))
    layout = _layout(model.conv_proj, model.encoder.pos_embedding, first.self_attention, hidden, head[-1])
    layout = replace(layout, depth=len(blocks))

    def embed(images: Tensor) -> Tensor:
        patches = model.conv_proj(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([model.class_token.expand(patches.shape[0], -1, -1), patches], 1)
        embedded: Tensor = model.encoder.dropout(tokens + model.encoder.pos_embedding)
        return embedded

    def classify(tokens: Tensor, sizes: Tensor | None) -> Tensor:
        del sizes  # the class token is read
        logits: Tensor = model.heads(model.encoder.ln(tokens)[:, 0])
        return logits

    return Parts(layout, embed, [_torchvision_block(block) for block in blocks], classify)


def _torchvision_block(block: Any) -> BlockParts:
    attention = block.self_attention

    def queries_keys_values(tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        packed = functional.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
        queries, keys, values = _split(packed, attention.num_heads)
        return queries, keys, values

    def project(attended: Tensor) -> Tensor:
        added: Tensor = block.dropout(attention.out_proj(attended))
        return added

    def feed_forward(tokens: Tensor) -> Tensor:
        added: Tensor = block.mlp(block.ln_2(tokens))
        return added

    return BlockParts(queries_keys_values, project, feed_forward)
