"""Operators of vision transformers that prune and merge tokens, as `spaces.networks.compressed_vit` runs them.

What sorts tokens and weighs keys by sizes is no operator of its own: nothing is multiplied there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hardware_models.attention import packed_attention
from hardware_models.graph import Graph, Tape, composite
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear
from spaces.token_compression.counts import token_counts
from spaces.token_compression.layouts import Layout


def graph(layout: Layout, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> Graph:
    """Return the operators of a transformer whose blocks keep so many tokens."""
    embed = embedding(layout)
    tape = Tape(*embed.inputs)
    value = tape.run(embed, 0)
    for pruned, leaving in zip(prune_kept, token_counts(layout.tokens, prune_kept, merge_kept), strict=True):
        value = _attention(tape, value, layout.heads, pruned, leaving)
        value = tape.run(feed_forward(tape.shape(value), layout.ratio), value)
    tape.run(head(tape.shape(value), layout), value)
    return tape.graph()


def _attention(tape: Tape, value: int, heads: int, pruned: int, leaving: int) -> int:
    shape = tape.shape(value)
    norm, attended, added = attention(shape, heads)
    packed = tape.run(norm, value)
    value = tape.run(added, value, tape.run(attended, packed))
    if leaving == shape[0]:
        return value
    left = min(pruned, shape[0])
    importance, pruning = prune(shape, heads, left)
    value = tape.run(pruning, value, tape.run(importance, packed))
    return value if leaving == left else tape.run(merge((left, shape[1]), leaving), value)


def attention(tokens: Shape, heads: int) -> tuple[Op, Op, Op]:
    """Return the operators that make queries, keys and values, attend, and add to the tokens."""
    return _packed(tokens), _attended(tokens, heads), elementwise("add", tokens, 2)


def prune(tokens: Shape, heads: int, left: int) -> tuple[Op, Op]:
    """Return the operators that find how important tokens are, and that leave so many."""
    importance = Op("token_importance", (_packed(tokens).output,), (tokens[0],), heads=heads)
    return importance, Op("token_prune", (tokens, (tokens[0],)), (left, tokens[1]))


def merge(tokens: Shape, leaving: int) -> Op:
    """Return the operator that merges tokens until so many are left."""
    return Op("token_merge", (tokens,), (leaving, tokens[1]))


@cache
def embedding(layout: Layout) -> Op:
    """Return what makes tokens of an image."""
    image = (layout.channels, layout.side, layout.side)
    patches = conv2d(image, layout.width, layout.patch, layout.patch, bias=True, padding=0)
    flat = Op("image_to_tokens", (patches.output,), (layout.patches, layout.width))
    with_class = Op("class_token", (flat.output,), (layout.tokens, layout.width))
    return chain("patch_embedding", patches, flat, with_class, elementwise("position_embedding", with_class.output))


@cache
def _packed(tokens: Shape) -> Op:
    return chain("norm_queries_keys_values", elementwise("layer_norm", tokens), linear(tokens, 3 * tokens[1]))


@cache
def _attended(tokens: Shape, heads: int) -> Op:
    attend = packed_attention((tokens[0], 3 * tokens[1]), heads, tokens[1])
    return chain("attention_projection", attend, linear(tokens, tokens[1]))


@cache
def feed_forward(tokens: Shape, ratio: int) -> Op:
    """Return a block's perceptron."""
    tape, value = Tape(tokens), 0
    wide = linear(tokens, ratio * tokens[1])
    for op in (
        elementwise("layer_norm", tokens),
        wide,
        elementwise("gelu", wide.output),
        linear(wide.output, tokens[1]),
    ):
        value = tape.run(op, value)
    tape.run(elementwise("add", tokens, 2), 0, value)
    return composite("feed_forward", tape.graph())


@cache
def head(tokens: Shape, layout: Layout) -> Op:
    """Return what makes logits of tokens."""
    pooled: Shape = (layout.width,)
    classifier = linear(pooled, layout.classes)
    if layout.pool == "mean":
        mean = Op("token_mean", (tokens,), pooled)
        return chain("mean_classifier", mean, elementwise("layer_norm", pooled), classifier)
    first = Op("first_token", (tokens,), pooled)
    return chain("class_classifier", elementwise("layer_norm", tokens), first, classifier)
