"""Composite operators of mobile networks, made here for spaces and for imported latency tables, so that keys agree.

Shapes are (channels, height, width). A norm follows each convolution unless something else is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hardware_models.graph import Tape, composite
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear

LEAST_KEPT = 0.9
"""Rounding never takes more than a tenth of the channels away."""


@dataclass(frozen=True, slots=True)
class Squeeze:
    """How channels are gated: the channels between the two layers, what follows the first, and what makes gates."""

    channels: int
    activation: str
    gate: str


def mobilenet_squeeze(channels: int) -> Squeeze:
    """Return MobileNetV3's for so many channels: a quarter, rounded by `divisible`; ReLU and a hard sigmoid.

    Source: Howard et al., ICCV 2019, section 5.3.
    """
    return Squeeze(divisible(channels // 4), "relu", "hardsigmoid")


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
def squeeze_excitation(inputs: Shape, squeeze: Squeeze | None = None) -> Op:
    """Return squeeze-and-excitation, whose two 1x1 convolutions have biases; by default MobileNetV3's."""
    chosen = squeeze or mobilenet_squeeze(inputs[0])
    pool = global_pool(inputs)
    first = conv2d(pool.output, chosen.channels, 1, bias=True)
    second = conv2d(first.output, inputs[0], 1, bias=True)
    gates = elementwise(chosen.gate, second.output)
    scale = Op("mul", (gates.output, inputs), inputs)
    act = elementwise(chosen.activation, first.output)
    return _rejoined("squeeze_excitation", pool, first, act, second, gates, scale)


@cache
def inverted_residual(
    inputs: Shape,
    channels: int,
    kernel: int,
    stride: int = 1,
    *,
    middle: int,
    activation: str,
    squeeze: bool | Squeeze = False,
    shortcut: bool = False,
    expand: bool = False,
    groups: int = 1,
    depthwise: int = 1,
) -> Op:
    """Return 1x1 expansion, depthwise kernel x kernel and linear 1x1 projection as one operator.

    Source: Sandler et al., CVPR 2018, figure 4; with `squeeze`, Howard et al., ICCV 2019, figure 4; with `expand`,
    `groups` and `depthwise`, FBNet (Wu et al., CVPR 2019) and its authors' model zoo.

    Args:
      inputs: of the block.
      channels: of its output.
      kernel, stride: of the depthwise convolution.
      middle: channels of the depthwise convolution.
      activation: after all norms but the last.
      squeeze: which squeeze-and-excitation follows the depthwise convolution; True for MobileNetV3's.
      shortcut: whether the input is added to the output.
      expand: whether there is an expansion also where `middle` is the input's channels.
      groups: of both 1x1 convolutions; the channels are shuffled before the depthwise one.
      depthwise: how many depthwise convolutions follow one another, the first with the stride.

    Raises:
      ValueError: for a shortcut where the shapes differ.
    """
    plain: list[Op] = []
    if expand or middle != inputs[0]:
        plain += conv_bn(inputs, middle, 1, activation=activation, groups=groups).inner
    wide = (middle, *inputs[1:])
    if groups > 1:
        plain.append(Op("channel_shuffle", (wide,), wide, groups=groups))
    for place in range(depthwise):
        plain += conv_bn(wide, middle, kernel, 1 if place else stride, activation=activation, groups=middle).inner
        wide = plain[-1].output
    if squeeze:
        plain.append(squeeze_excitation(wide, squeeze if isinstance(squeeze, Squeeze) else None))
    projection = conv2d(wide, channels, 1, groups=groups)
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
