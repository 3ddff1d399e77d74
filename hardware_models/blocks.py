"""Composite operators of mobile networks, made here for spaces and for imported latency tables, so that keys agree.

Shapes are (channels, height, width). A norm follows each convolution unless something else is said.
"""

from __future__ import annotations

from functools import cache

from hardware_models.graph import Tape, composite
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear

LEAST_KEPT = 0.9
"""Rounding never takes more than a tenth of the channels away."""


def divisible(channels: float, divisor: int = 8) -> int:
    """Return `channels` rounded to a multiple of `divisor`, at least one and never below 90 % (MobileNetV2's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < LEAST_KEPT * channels else rounded


@cache
def conv_bn(inputs: Shape, channels: int, kernel: int, stride: int = 1, *, activation: str, groups: int = 1) -> Op:
    """Return a convolution, its norm and an activation as one operator, `conv_bn_<activation>`."""
    conv = conv2d(inputs, channels, kernel, stride, groups=groups)
    norm, act = elementwise("batch_norm2d", conv.output), elementwise(activation, conv.output)
    return chain(f"conv_bn_{activation}", conv, norm, act)


@cache
def conv_act(inputs: Shape, channels: int, kernel: int, *, activation: str) -> Op:
    """Return a convolution with neither norm nor bias, and an activation, as one operator, `conv_<activation>`."""
    conv = conv2d(inputs, channels, kernel)
    return chain(f"conv_{activation}", conv, elementwise(activation, conv.output))


@cache
def global_pool(inputs: Shape) -> Op:
    """Return the mean over height and width, which keeps both axes: (channels, 1, 1)."""
    return Op("global_avg_pool", (inputs,), (inputs[0], 1, 1))


@cache
def squeeze_excitation(inputs: Shape) -> Op:
    """Return squeeze-and-excitation as in MobileNetV3: a quarter of the channels, biases, ReLU, hard sigmoid.

    Source: Howard et al., ICCV 2019, section 5.3; the squeezed width is rounded by `divisible`.
    """
    pool = global_pool(inputs)
    squeeze = conv2d(pool.output, divisible(inputs[0] // 4), 1, bias=True)
    excite = conv2d(squeeze.output, inputs[0], 1, bias=True)
    gates = elementwise("hardsigmoid", excite.output)
    scale = Op("mul", (gates.output, inputs), inputs)
    return _rejoined("squeeze_excitation", pool, squeeze, elementwise("relu", squeeze.output), excite, gates, scale)


@cache
def inverted_residual(
    inputs: Shape,
    channels: int,
    kernel: int,
    stride: int = 1,
    *,
    middle: int,
    activation: str,
    squeeze: bool = False,
    shortcut: bool = False,
) -> Op:
    """Return 1x1 expansion, depthwise kernel x kernel and linear 1x1 projection as one operator.

    Source: Sandler et al., CVPR 2018, figure 4; with `squeeze`, Howard et al., ICCV 2019, figure 4.

    Args:
      inputs: of the block.
      channels: of its output.
      kernel, stride: of the depthwise convolution.
      middle: channels of the depthwise convolution; where they equal the input's there is no expansion.
      activation: after the first two norms.
      squeeze: whether squeeze-and-excitation follows the depthwise convolution.
      shortcut: whether the input is added to the output.

    Raises:
      ValueError: for a shortcut where the shapes differ.
    """
    parts = [conv_bn(inputs, middle, 1, activation=activation)] if middle != inputs[0] else []
    wide = parts[-1].output if parts else inputs
    parts.append(conv_bn(wide, middle, kernel, stride, activation=activation, groups=middle))
    plain = [op for part in parts for op in part.inner]
    projection = conv2d(parts[-1].output, channels, 1)
    plain += [squeeze_excitation(parts[-1].output)] if squeeze else []
    plain += [projection, elementwise("batch_norm2d", projection.output)]
    if shortcut:
        if projection.output != inputs:
            raise ValueError(f"a shortcut needs equal shapes, got {inputs} and {projection.output}")
        plain.append(elementwise("add", inputs, 2))
    return _rejoined("inverted_residual", *plain)


@cache
def classifier(inputs: Shape, classes: int) -> Op:
    """Return a linear layer on `inputs`, which are pooled before unless height and width are 1, as one operator."""
    pooled = inputs[1:] == (1, 1)
    first = Op("flatten" if pooled else "global_avg_pool", (inputs,), (inputs[0],))
    return chain("classifier" if pooled else "pooled_classifier", first, linear(first.output, classes))


def _rejoined(kind: str, *ops: Op) -> Op:
    """Return a composite in which an operator of two inputs gets the composite's own input as its second."""
    tape, value = Tape(*ops[0].inputs), 0
    for op in ops:
        value = tape.run(op, *((value, 0) if len(op.inputs) == 2 else (value,)))
    return composite(kind, tape.graph())
