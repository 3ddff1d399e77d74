"""Operators of vision transformers that prune and merge tokens, as `spaces.networks.compressed_vit` runs them.

What sorts tokens and weighs keys by sizes is no operator of its own: nothing is multiplied there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hardware_models.attention import attention, packed_attention
from hardware_models.graph import Graph, Tape, composite
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear
from spaces.token_compression.counts import token_counts
from spaces.token_compression.layouts import Block, Layout


def graph(layout: Layout, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> Graph:
    """Return the operators of a transformer whose blocks keep so many tokens."""
    embed = embedding(layout)
    tape = Tape(*embed.inputs)
    value = tape.run(embed, 0)
    leaving = token_counts(layout.tokens, prune_kept, merge_kept)
    for block, pruned, left in zip(layout.blocks, prune_kept, leaving, strict=True):
        value = _attention(tape, value, block, pruned, left)
        value = tape.run(feed_forward(tape.shape(value), block.mlp), value)
    tape.run(head(tape.shape(value), layout), value)
    return tape.graph()


def _attention(tape: Tape, value: int, block: Block, pruned: int, leaving: int) -> int:
    shape = tape.shape(value)
    value, sources = _attend(tape, value, block)
    if leaving == shape[0]:
        return value
    left = min(pruned, shape[0])
    importance, pruning = prune(shape, block, left)
    value = tape.run(pruning, value, tape.run(importance, *sources[:2]))
    return value if leaving == left else tape.run(merge((left, shape[1]), leaving), value)


def _attend(tape: Tape, value: int, block: Block) -> tuple[int, tuple[int, ...]]:
    """Run an attention; return its tokens, and the values with queries, keys and values, side by side or apart."""
    tokens = tape.shape(value)
    back = linear((tokens[0], block.heads * block.v), tokens[1])
    if block.packed:
        packed = _packed(tokens, block)
        sources: tuple[int, ...] = (tape.run(packed, value),)
        attend = packed_attention(packed.output, block.heads, back.inputs[0][1])
    else:
        normed = tape.run(elementwise("layer_norm", tokens), value)
        layers = [linear(tokens, block.heads * each) for each in (block.qk, block.qk, block.v)]
        sources = tuple(tape.run(layer, normed) for layer in layers)
        attend = attention(layers[0].output, block.heads, layers[1].output, layers[2].output)
    added = tape.run(chain("attention_projection", attend, back), *sources)
    return tape.run(elementwise("add", tokens, 2), value, added), sources


@cache
def attended(tokens: Shape, block: Block) -> Graph:
    """Return the operators that make queries, keys and values, attend, and add to the tokens."""
    tape = Tape(tokens)
    _attend(tape, 0, block)
    return tape.graph()


def prune(tokens: Shape, block: Block, left: int) -> tuple[Op, Op]:
    """Return the operators that find how important tokens are, and that leave so many."""
    apart = ((tokens[0], block.heads * block.qk),) * 2
    sources = (_packed(tokens, block).output,) if block.packed else apart
    importance = Op("token_importance", sources, (tokens[0],), heads=block.heads)
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
def _packed(tokens: Shape, block: Block) -> Op:
    packed = linear(tokens, block.heads * (2 * block.qk + block.v))
    return chain("norm_queries_keys_values", elementwise("layer_norm", tokens), packed)


@cache
def feed_forward(tokens: Shape, hidden: int) -> Op:
    """Return a block's perceptron."""
    tape, value = Tape(tokens), 0
    wide = linear(tokens, hidden)
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
