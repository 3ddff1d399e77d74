"""Multiply-accumulates of compressed transformers as DiffRate counts them (Chen et al., ICCV 2023, and its code)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spaces.token_compression.layouts import Layout


def token_counts(tokens: int, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> list[int]:
    """Return how many tokens leave each block. A count above what there is changes nothing.

    Args:
      tokens: that enter the first block, the class token included, as in all counts.
      prune_kept: how many each block keeps when it prunes.
      merge_kept: how many of those it keeps when it merges.
    """
    leaving = []
    for pruned, merged in zip(prune_kept, merge_kept, strict=True):
        tokens = min(tokens, pruned, merged)
        leaving.append(tokens)
    return leaving


def published_macs(layout: Layout, entering: Sequence[Any], leaving: Sequence[Any]) -> Any:
    """Return the multiply-accumulates for the tokens, numbers or tensors, that enter each attention and perceptron.

    As published it counts one patch more than there is, and neither what finds importance nor what merges; for what a
    built network computes see `spaces.diffrate.Compressed.ops`.
    """
    width, attention, perceptron = layout.width, 0, 0
    for block, before, after in zip(layout.blocks, entering, leaving, strict=True):
        both = block.heads * (block.qk + block.v)
        attention = attention + 2 * both * width * before + both * before * before
        perceptron = perceptron + 2 * block.mlp * width * after
    embedding = layout.tokens * layout.width * layout.channels * layout.patch**2
    return attention + perceptron + embedding + layout.width * layout.classes


def published_macs_of(layout: Layout, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> int:
    """Return the multiply-accumulates of one schedule; see `published_macs`."""
    leaving = token_counts(layout.tokens, prune_kept, merge_kept)
    return int(published_macs(layout, [layout.tokens, *leaving[:-1]], leaving))
