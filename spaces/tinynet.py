"""TinyNets: EfficientNet-B0 of other resolutions, depths and widths (Han et al., NeurIPS 2020)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models import blocks, counts
from hardware_models.op import Op, Shape
from spaces._published import find

if TYPE_CHECKING:
    from torch import nn

ACTIVATION, GATE = "silu", "sigmoid"
STEM, LEAST_HEAD, DROPOUT = 32, 1280, 0.2

RESOLUTIONS = tuple(range(96, 225, 2))
DEPTHS = (0.6, 0.695, 0.8, 0.85, 1.0, 1.1, 1.15, 1.2, 1.3, 1.4)
"""From 0.5 to 1.5 there are no other numbers of blocks. 1.0 and 1.1 have the same: both are published."""

WIDTHS = (0.4, 0.45, 0.51, 0.54, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)


@dataclass(frozen=True, slots=True)
class Stage:
    """Of EfficientNet-B0: how many blocks, their kernel and expansion, the first one's stride, and their channels."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    width: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
"""Of EfficientNet-B0 (Tan and Le, ICML 2019, table 1)."""

NETS = {
    "TinyNet-A": (192, 1.2, 1.0),
    "TinyNet-B": (188, 1.1, 0.75),
    "TinyNet-C": (184, 0.85, 0.54),
    "TinyNet-D": (152, 0.695, 0.54),
    "TinyNet-E": (106, 0.6, 0.51),
    "EfficientNet-B0": (224, 1.0, 1.0),
}
"""By published name: resolution, depth and width."""


class TinyNet(pg.Object):  # type: ignore[misc]
    """One network: a 3x3 stem, seven stages of inverted residuals, a 1x1 convolution and a classifier.

    All blocks have squeeze-and-excitation, a quarter of the block's input channels between, and swish.

    Attributes:
      resolution: the side of the images.
      depth: what the blocks of a stage are multiplied by, then rounded to the nearest whole number, at least 1.
      width: what channels are multiplied by, then rounded to multiples of 8; not those of the stem, and those of the
        last convolution only above 1.
      classes: the number of classes.
    """

    resolution: int
    depth: float
    width: float
    classes: int = 1000

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (3, resolution, resolution)."""
        return 3, self.resolution, self.resolution

    @property
    def head(self) -> int:
        """The channels of the last convolution."""
        return max(LEAST_HEAD, blocks.divisible(LEAST_HEAD * self.width))

    @property
    def depths(self) -> tuple[int, ...]:
        """The number of blocks in each stage."""
        return tuple(max(1, round(stage.repeats * self.depth)) for stage in STAGES)

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of each stage."""
        return tuple(blocks.divisible(stage.width * self.width) for stage in STAGES)

    def layers(self) -> Iterator[tuple[Stage, int, int]]:
        """Yield of each block its stage, its output channels and its stride, in the order they run."""
        for stage, depth, width in zip(STAGES, self.depths, self.widths, strict=True):
            for place in range(depth):
                yield stage, width, 1 if place else stage.stride

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.tinynet import network

        return network(self)

    def ops(self) -> tuple[Op, ...]:
        """Return the operators that the built network runs, in order: one a block, its addition included."""
        ops = [blocks.conv_bn(self.input_shape, STEM, 3, 2, activation=ACTIVATION)]
        for stage, width, stride in self.layers():
            inputs = ops[-1].output
            ops.append(
                blocks.inverted_residual(
                    inputs, width, stage.kernel, stride, middle=inputs[0] * stage.expansion, activation=ACTIVATION,
                    squeeze=squeeze(inputs[0]), shortcut=stride == 1 and inputs[0] == width,
                )
            )  # fmt: skip
        ops.append(blocks.conv_bn(ops[-1].output, self.head, 1, activation=ACTIVATION))
        return (*ops, blocks.classifier(ops[-1].output, self.classes))


def tinynet(
    resolutions: Sequence[int] = RESOLUTIONS,
    depths: Sequence[float] = DEPTHS,
    widths: Sequence[float] = WIDTHS,
    *,
    classes: int = 1000,
) -> Any:
    """Return the space: a resolution, a depth and a width, with the defaults 65 x 10 x 16 = 10,400 genotypes.

    The lists are this project's, and hold the published values. Any other range is a `rebind`, e.g. of open floats:
    `tinynet().rebind(depth=pg.floatv(0.5, 1.5), width=pg.floatv(0.4, 1.2))`.

    Args:
      resolutions: sides of the images.
      depths: what the blocks of EfficientNet-B0's stages may be multiplied by.
      widths: what its channels may be multiplied by.
      classes: the number of classes.

    Raises:
      ValueError: for an empty list, or numbers that are too small.
    """
    if not (resolutions and depths and widths) or min(*resolutions, classes) < 1 or not min(*depths, *widths) > 0:
        raise ValueError(
            "resolutions, depths and widths must hold numbers above 0, and classes be at least 1; got "
            f"{min(resolutions, default='none')}, {min(depths, default='none')} and {min(widths, default='none')} as "
            f"the smallest, and {classes} classes"
        )
    open_depth, open_width = (pg.oneof([float(value) for value in values]) for values in (depths, widths))
    return TinyNet(pg.oneof(list(resolutions)), open_depth, open_width, classes)


def published(name: str) -> TinyNet:
    """Return a published network: `TinyNet-A` to `TinyNet-E`, or `EfficientNet-B0`, which they are made from.

    Its genotype is `GenotypeSpace(tinynet()).encode(published(name))`.

    Raises:
      ValueError: for another name; the message lists them.
    """
    return TinyNet(*find(NETS, name))


def width_for(macs: float, resolution: int, depth: float, *, step: float = 0.01) -> float:
    """Return the width of the largest network of this resolution and depth that keeps within `macs`.

    Of the paper's three numbers two are chosen and the third follows from the budget. The continuous rule, the square
    root of c / (depth resolution^2) with c relative to EfficientNet-B0, gives 0.68 for TinyNet-E, published as 0.51,
    because channels are rounded and stem and head keep theirs. Here the network's own multiply-accumulates are counted.

    Args:
      macs: multiply-accumulates of one image, with 1000 classes.
      resolution: the side of the images.
      depth: what the blocks of a stage are multiplied by.
      step: the width is the largest multiple of this; the channels stay the same over several.

    Raises:
      ValueError: for a step or depth that is not above 0, or where even the width `step` takes more.
    """
    if not min(step, depth) > 0 or resolution < 1:
        raise ValueError(f"resolution, depth and step must be above 0, got {resolution}, {depth} and {step}")

    def width_at(steps: int) -> float:
        return round(steps * step, 10)

    def macs_at(steps: int) -> int:
        return counts.macs(TinyNet(resolution, float(depth), width_at(steps)).ops())

    if macs_at(1) > macs:
        raise ValueError(
            f"at resolution {resolution} and depth {depth} even the width {step} takes {macs_at(1):,} "
            f"multiply-accumulates, got a budget of {macs:,.0f}: lower the resolution or the depth"
        )
    most = 1
    while macs_at(most) <= macs:
        most *= 2
    return width_at(bisect_right(range(1, most), macs, key=macs_at))


def squeeze(inputs: int) -> blocks.Squeeze:
    """Return how a block of so many input channels gates its own."""
    return blocks.Squeeze(round(inputs / 4), ACTIVATION, GATE)
