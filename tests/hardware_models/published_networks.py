"""Operators of networks whose counts are published: ResNet-50 and the DeiT family."""

from __future__ import annotations

from hardware_models.attention import self_attention
from hardware_models.graph import Graph, Tape
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear, pool2d


def conv_bn(inputs: Shape, channels: int, kernel: int, stride: int = 1, activation: str = "relu") -> Op:
    """Return a convolution with norm and, unless it is empty, activation."""
    conv = conv2d(inputs, channels, kernel, stride)
    after = [elementwise(kind, conv.output) for kind in ("batch_norm2d", activation) if kind]
    return chain("conv_bn", conv, *after)


def resnet50() -> Graph:
    """Return ResNet-50 for 224x224 images with the stride in the 3x3 convolution (He et al., CVPR 2016, table 1)."""
    tape = Tape((3, 224, 224))
    value = tape.run(conv_bn((3, 224, 224), 64, 7, 2), 0)
    value = tape.run(pool2d("max_pool2d", tape.shape(value), 3, 2), value)
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512))):
        for block in range(blocks):
            value = bottleneck(tape, value, width, 2 if stage and not block else 1)
    pooled = tape.run(Op("global_avg_pool", (tape.shape(value),), (2048,)), value)
    tape.run(linear((2048,), 1000), pooled)
    return tape.graph()


def bottleneck(tape: Tape, value: int, width: int, stride: int) -> int:
    """Run a residual bottleneck on a value and return its output."""
    inner = value
    for channels, kernel, step in ((width, 1, 1), (width, 3, stride)):
        inner = tape.run(conv_bn(tape.shape(inner), channels, kernel, step), inner)
    inner = tape.run(conv_bn(tape.shape(inner), 4 * width, 1, activation=""), inner)
    if tape.shape(value) != tape.shape(inner):
        value = tape.run(conv_bn(tape.shape(value), 4 * width, 1, stride, activation=""), value)
    total = tape.run(elementwise("add", tape.shape(inner), 2), inner, value)
    return tape.run(elementwise("relu", tape.shape(total)), total)


def deit(channels: int, depth: int = 12) -> Graph:
    """Return a DeiT for 224x224 images, heads of 64 channels (Touvron et al., ICML 2021, table 1)."""
    tape = Tape((3, 224, 224))
    value = tape.run(conv2d((3, 224, 224), channels, 16, 16, padding=0, bias=True), 0)
    tokens = (197, channels)
    for op in (
        Op("image_to_tokens", (tape.shape(value),), (196, channels)),
        Op("class_token", ((196, channels),), tokens),
        elementwise("position_embedding", tokens),
    ):
        value = tape.run(op, value)
    mlp = linear(tokens, 4 * channels)
    feed_forward = chain("feed_forward", mlp, elementwise("gelu", mlp.output), linear(mlp.output, channels))
    for part in (self_attention(tokens, channels // 64), feed_forward) * depth:
        normed = tape.run(elementwise("layer_norm", tokens), value)
        value = tape.run(elementwise("add", tokens, 2), value, tape.run(part, normed))
    value = tape.run(elementwise("layer_norm", tokens), value)
    tape.run(linear((channels,), 1000), tape.run(Op("first_token", (tokens,), (channels,)), value))
    return tape.graph()
