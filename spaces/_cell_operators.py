"""Operators that the cells of NASNet and DARTS are made of: mostly a ReLU, convolutions and a norm, in that order."""

from __future__ import annotations

from functools import cache

from hardware_models.graph import Tape, composite
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear


@cache
def conv_bn(inputs: Shape, channels: int, kernel: int = 1, stride: int = 1, padding: int | None = None) -> Op:
    """Return a convolution and its norm as one operator, `conv_bn`."""
    conv = conv2d(inputs, channels, kernel, stride, padding=padding)
    return chain("conv_bn", conv, elementwise("batch_norm2d", conv.output))


@cache
def relu_conv_bn(inputs: Shape, channels: int, kernel: int = 1, stride: int = 1, dilation: int = 1) -> Op:
    """Return a ReLU, a convolution and its norm as one operator, `relu_conv_bn`."""
    conv = conv2d(inputs, channels, kernel, stride, dilation=dilation)
    return chain("relu_conv_bn", elementwise("relu", inputs), conv, elementwise("batch_norm2d", conv.output))


@cache
def factorized_conv(inputs: Shape, channels: int, kernel: int, stride: int = 1) -> Op:
    """Return a ReLU, a 1 x kernel convolution, a kernel x 1 one and a norm as one operator, `factorized_conv`.

    Each convolution strides in the direction of its kernel.
    """
    wide = conv2d(inputs, channels, kernel, stride, along="width")
    high = conv2d(wide.output, channels, kernel, stride, along="height")
    return chain("factorized_conv", elementwise("relu", inputs), wide, high, elementwise("batch_norm2d", high.output))


@cache
def separable_conv(inputs: Shape, channels: int, kernel: int, stride: int = 1) -> Op:
    """Return two depthwise-separable convolutions as one operator, `separable_conv`; the first has the stride."""
    first = _separable(inputs, channels, kernel, stride)
    return chain("separable_conv", *first, *_separable(first[-1].output, channels, kernel))


@cache
def dilated_conv(inputs: Shape, channels: int, kernel: int, stride: int = 1) -> Op:
    """Return one depthwise-separable convolution of dilation 2 as one operator, `dilated_conv`."""
    return chain("dilated_conv", *_separable(inputs, channels, kernel, stride, dilation=2))


@cache
def factorized_reduction(inputs: Shape, channels: int, *, relu: bool = True) -> Op:
    """Return two 1x1 convolutions of stride 2, joined and normed, as one operator, `factorized_reduction`.

    The second reads the image shifted by one pixel, so that half of the pixels are read and not a quarter; the shift
    is no operator. Of an odd number of channels, at least 3, the second has one more.
    """
    tape = Tape(inputs)
    value = tape.run(elementwise("relu", inputs), 0) if relu else 0
    halves = [conv2d(inputs, count, 1, 2) for count in (channels // 2, channels - channels // 2)]
    read = [tape.run(half, value) for half in halves]
    joined = concat(tape, *read)
    tape.run(elementwise("batch_norm2d", tape.shape(joined)), joined)
    return composite("factorized_reduction", tape.graph())


def concat(tape: Tape, *values: int) -> int:
    """Join images along their channels and return the value; one image is that value already."""
    if len(values) == 1:
        return values[0]
    shapes = tuple(tape.shape(value) for value in values)
    return tape.run(_concat(shapes), *values)


@cache
def head(inputs: Shape, classes: int, *, relu: bool) -> Op:
    """Return a global average pool and a linear layer, after a ReLU or not, as one operator, `head`."""
    pool = Op("global_avg_pool", (inputs,), (inputs[0],))
    before = [elementwise("relu", inputs)] if relu else []
    return chain("head", *before, pool, linear(pool.output, classes))


@cache
def _concat(shapes: tuple[Shape, ...]) -> Op:
    return Op("concat", shapes, (sum(shape[0] for shape in shapes), *shapes[0][1:]))


def _separable(inputs: Shape, channels: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[Op, ...]:
    depthwise = conv2d(inputs, inputs[0], kernel, stride, groups=inputs[0], dilation=dilation)
    pointwise = conv2d(depthwise.output, channels, 1)
    return elementwise("relu", inputs), depthwise, pointwise, elementwise("batch_norm2d", pointwise.output)
