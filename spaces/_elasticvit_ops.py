"""Operators of ElasticViT networks, each a block (Tang et al., ICCV 2023, and its code).

Images are (channels, side, side), sequences (tokens, channels): the image's places row by row.
"""

from __future__ import annotations

from functools import cache
from math import isqrt

from hardware_models.attention import attention
from hardware_models.blocks import Squeeze, inverted_residual
from hardware_models.graph import Tape, composite
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear, pool2d

ACTIVATION = "hardswish"

HEAD_WIDTH = 16
"""Channels of a query or key in one head: a transformer of width C has C / 16 heads."""

REDUCTION_EXPANSION = 6
REDUCTION_KERNEL = 3
FEATURES_EXPANSION = 6


def squeeze(middle: int) -> Squeeze:
    """Return the squeeze-and-excitation of so many channels: a quarter between, ReLU, a hard sigmoid."""
    return Squeeze(middle // 4, "relu", "hardsigmoid")


@cache
def mobile_block(inputs: Shape, channels: int, kernel: int, stride: int, *, expansion: int, squeezed: bool) -> Op:
    """Return an inverted residual whose shortcut is there always: averaged by the stride, widened where it must be."""
    middle = inputs[0] * expansion
    body = inverted_residual(
        inputs, channels, kernel, stride, middle=middle, activation=ACTIVATION,
        squeeze=squeeze(middle) if squeezed else False,
    )  # fmt: skip
    tape = Tape(inputs)
    computed, kept = tape.run(body, 0), 0
    if stride > 1:
        kept = tape.run(pool2d("avg_pool2d", inputs, stride, stride, padding=inputs[1] % stride), kept)
    if channels != inputs[0]:
        kept = tape.run(conv2d(tape.shape(kept), channels, 1), kept)
    tape.run(elementwise("add", body.output, 2), computed, kept)
    return composite("mobile_block", tape.graph())


@cache
def reduction(inputs: Shape, channels: int, stride: int) -> Op:
    """Return the mobile block that begins a stage of transformers: an image or a sequence to a sequence."""
    tape, value = Tape(inputs), 0
    if len(inputs) == 2:
        value = _to_image(tape, value)
    block = mobile_block(
        tape.shape(value), channels, REDUCTION_KERNEL, stride, expansion=REDUCTION_EXPANSION, squeezed=True
    )
    _to_tokens(tape, tape.run(block, value))
    return composite("reduction", tape.graph())


@cache
def attention_block(tokens: Shape, v_scale: int) -> Op:
    """Return an attention with all that belongs to it, added to its input.

    Values are `v_scale` times as wide as the input, and pass a 3x3 depthwise convolution; relative positions add to the
    scores; hard swish comes before the projection.
    """
    width, wide = tokens[1], tokens[1] * v_scale
    tape = Tape(tokens)
    normed = tape.run(elementwise("layer_norm", tokens), 0)
    query, key = (tape.run(linear(tokens, width, bias=False), normed) for _ in range(2))
    image = _to_image(tape, tape.run(linear(tokens, wide, bias=False), normed))
    value = _to_tokens(tape, tape.run(conv2d(tape.shape(image), wide, 3, groups=wide), image))
    attend = attention(tokens, width // HEAD_WIDTH, values=tape.shape(value), bias=True)
    attended = tape.run(elementwise(ACTIVATION, attend.output), tape.run(attend, query, key, value))
    projected = tape.run(linear(attend.output, width), attended)
    tape.run(elementwise("add", tokens, 2), 0, projected)
    return composite("attention_block", tape.graph())


@cache
def feed_forward(tokens: Shape, mlp_ratio: int) -> Op:
    """Return a layer to `mlp_ratio` times the width, hard swish and a layer back, added to its input."""
    tape = Tape(tokens)
    wide = linear(tokens, tokens[1] * mlp_ratio)
    value = tape.run(elementwise("layer_norm", tokens), 0)
    for op in (wide, elementwise(ACTIVATION, wide.output), linear(wide.output, tokens[1])):
        value = tape.run(op, value)
    tape.run(elementwise("add", tokens, 2), 0, value)
    return composite("feed_forward", tape.graph())


@cache
def head(tokens: Shape, features: int, classes: int) -> tuple[Op, Op]:
    """Return what makes features of a sequence, six times as wide and averaged, and what makes logits of these."""
    wide = linear(tokens, FEATURES_EXPANSION * tokens[1])
    norm, activation = elementwise("batch_norm1d", wide.output), elementwise(ACTIVATION, wide.output)
    mean = Op("token_mean", (wide.output,), (wide.output[1],))
    hidden = linear(mean.output, features)
    last = linear(hidden.output, classes)
    return (
        chain("token_features", wide, norm, activation, mean),
        chain("hidden_classifier", hidden, elementwise(ACTIVATION, hidden.output), last),
    )


def _to_image(tape: Tape, value: int) -> int:
    tokens, channels = tape.shape(value)
    side = isqrt(tokens)
    return tape.run(Op("tokens_to_image", ((tokens, channels),), (channels, side, side)), value)


def _to_tokens(tape: Tape, value: int) -> int:
    channels, *sides = tape.shape(value)
    return tape.run(Op("image_to_tokens", ((channels, *sides),), (sides[0] * sides[1], channels)), value)
