"""Vision transformers that prune and merge tokens as DiffRate does (Chen et al., ICCV 2023, section 3, and its code).

In a block, after attention: tokens are sorted by how much the class token attends to them, the last are dropped, and of
those left the last are merged into what they are most alike. A token's size, how many it stands for, weighs it as a key
(proportional attention). What is removed is gone from this network; `spaces.networks.masked_vit` only masks it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from spaces.networks.vit_parts import Parts, layout_of, parts
from spaces.token_compression.counts import token_counts

LEAST_SIZE = 1e-6
"""What a token counts for at least as a key: merging the opposite of a token would take its size below 0."""


class CompressedViT(nn.Module):
    """A transformer whose blocks keep so many tokens.

    Attributes:
      model: the whole transformer, whose weights it runs.
      prune_kept, merge_kept: the tokens that each block keeps, the class token included.
    """

    def __init__(self, model: nn.Module, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.prune_kept, self.merge_kept = tuple(prune_kept), tuple(merge_kept)
        self._leaving = token_counts(layout_of(model).tokens, self.prune_kept, self.merge_kept)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes)."""
        found: Parts = parts(self.model)
        tokens, sizes = found.embed(images), None
        for block, pruned, leaving in zip(found.blocks, self.prune_kept, self._leaving, strict=True):
            queries, keys, values = block.queries_keys_values(tokens)
            weights = None if sizes is None else log_sizes(sizes)[:, None, None]
            attended = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=weights, scale=block.scale
            )
            tokens = tokens + block.project(attended.transpose(1, 2).flatten(2))
            if leaving < tokens.shape[1]:
                importance = class_attention(queries, keys, weights, block.scale)
                tokens, sizes = _compress(tokens, sizes, importance, pruned, leaving)
            tokens = tokens + block.feed_forward(tokens)
        return found.classify(tokens, sizes)


def class_attention(queries: Tensor, keys: Tensor, weights: Tensor | None, scale: float | None = None) -> Tensor:
    """Return how much the class token attends to each token, a mean over heads, (n, tokens)."""
    scores = queries[:, :, :1] @ keys.transpose(2, 3) * (scale or queries.shape[-1] ** -0.5)
    attention = (scores if weights is None else scores + weights).softmax(-1)
    importance: Tensor = attention.mean((1, 2))
    return importance


def by_importance(importance: Tensor, kept: int) -> Tensor:
    """Return so many places (n, kept): the class token's, then the others' from the most important on."""
    order = importance[:, 1:].topk(kept - 1).indices + 1
    return functional.pad(order, (1, 0))


def log_sizes(sizes: Tensor) -> Tensor:
    """Return what is added to the scores of keys of these sizes."""
    return sizes.clamp(min=LEAST_SIZE).log()


def merge(tokens: Tensor, sizes: Tensor, leaving: int, *, least: float | None = None) -> tuple[Tensor, Tensor]:
    """Return the first `leaving` tokens, each the mean of itself and what is merged into it, and their sizes.

    Every other token goes to the one that it is most like, by cosine similarity; the class token takes none. Sizes are
    added, that of what is merged times its similarity.

    Args:
      tokens: (n, tokens, width).
      sizes: (n, tokens).
      leaving: at least 2.
      least: what each size is raised to before they are added; None for none.
    """
    alike = functional.normalize(tokens, dim=-1)
    similarity = alike[:, leaving:] @ alike[:, :leaving].transpose(1, 2)
    similarity = similarity.index_fill(2, torch.zeros(1, dtype=torch.long, device=tokens.device), -torch.inf)
    closest, target = similarity.max(2)
    into = target[..., None].expand(-1, -1, tokens.shape[2])
    sizes = torch.cat([sizes[:, :leaving], sizes[:, leaving:] * closest], 1)
    sizes = sizes if least is None else sizes.clamp(min=least)
    sums = tokens[:, :leaving].scatter_add(1, into, tokens[:, leaving:])
    counts = torch.ones_like(sizes[:, :leaving]).scatter_add(1, target, torch.ones_like(closest))
    return sums / counts[..., None], sizes[:, :leaving].scatter_add(1, target, sizes[:, leaving:])


def _compress(
    tokens: Tensor, sizes: Tensor | None, importance: Tensor, pruned: int, leaving: int
) -> tuple[Tensor, Tensor | None]:
    kept = by_importance(importance, min(pruned, importance.shape[1]))
    tokens = tokens.gather(1, kept[..., None].expand(-1, -1, tokens.shape[2]))
    sizes = None if sizes is None else sizes.gather(1, kept)
    if leaving < tokens.shape[1]:
        return merge(tokens, torch.ones_like(tokens[..., 0]) if sizes is None else sizes, leaving)
    return tokens, sizes
