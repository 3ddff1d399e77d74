"""The ProxylessNAS space of ImageNet networks (Cai, Zhu and Han, ICLR 2019, section 4.2, and its search code)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyglove as pg

from hardware_models import blocks
from hardware_models.op import Op, Shape
from spaces._proxylessnas_nets import NETS, WIDTHS, Widths
from spaces._published import find

if TYPE_CHECKING:
    from torch import nn

Operation = Literal["k3e3", "k3e6", "k5e3", "k5e6", "k7e3", "k7e6", "zero"]

OPERATIONS: tuple[Operation, ...] = ("k3e3", "k3e6", "k5e3", "k5e6", "k7e3", "k7e6", "zero")
"""What a block may be: an inverted residual with this kernel and expansion, or nothing but its shortcut."""

STRIDES = (2, 2, 2, 1, 2, 1)
DEPTHS = (4, 4, 4, 4, 4, 1)
"""Of each stage: the stride of its first block, and its blocks."""

NORM_EPS = 1e-3
ACTIVATION = "relu6"


class Stage(pg.Object):  # type: ignore[misc]
    """Blocks of one width; the first has the stage's stride, the others add their input to their output."""

    width: int
    stride: int
    blocks: list[Operation]


class ProxylessNAS(pg.Object):  # type: ignore[misc]
    """One network: a 3x3 stem, a fixed 3x3 block without expansion, six stages, a 1x1 convolution and a classifier.

    Attributes:
      stem, first, head: channels of the stem, of the fixed block and of the last convolution.
      stages: the open part.
      resolution: the side of the images.
      classes: the number of classes.
    """

    stem: int
    first: int
    stages: list[Stage]
    head: int
    resolution: int = 224
    classes: int = 1000

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (3, resolution, resolution)."""
        return 3, self.resolution, self.resolution

    def places(self) -> Iterator[tuple[int, int, int, int] | None]:
        """Yield kernel, expansion, output channels and stride of the block at each place, None where there is none."""
        for stage in self.stages:
            for place, operation in enumerate(stage.blocks):
                present = operation != "zero"
                yield (
                    (int(operation[1]), int(operation[3]), stage.width, 1 if place else stage.stride)
                    if present
                    else None
                )

    def layers(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield what `places` does of the blocks that are present, in the order they run."""
        return (layer for layer in self.places() if layer is not None)

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.proxylessnas import network

        return network(self)

    def ops(self) -> tuple[Op, ...]:
        """Return the operators that the built network runs, in order: one a block, its addition included."""
        ops = [blocks.conv_bn(self.input_shape, self.stem, 3, 2, activation=ACTIVATION)]
        ops.append(_block(ops[0].output, self.first, 3, 1, 1, shortcut=False))
        for kernel, expansion, width, stride in self.layers():
            shape = ops[-1].output
            ops.append(_block(shape, width, kernel, expansion, stride, shortcut=stride == 1 and shape[0] == width))
        ops.append(blocks.conv_bn(ops[-1].output, self.head, 1, activation=ACTIVATION))
        return (*ops, blocks.classifier(ops[-1].output, self.classes))


def proxylessnas(
    widths: str = "search",
    *,
    width: float = 1.0,
    resolution: int = 224,
    classes: int = 1000,
    strides: Sequence[int] = STRIDES,
    depths: Sequence[int] = DEPTHS,
) -> Any:
    """Return the space: (6 x 7^3)^5 x 6 = 221,502,229,807,900,608 genotypes of 21 decisions.

    A stage's first block is one of six inverted residuals, each of the others also `zero`, which leaves it out. As in
    the paper the place of a zero within a stage counts, though the same blocks in the same order make the same network.

    Args:
      widths: whose channels: `search` for the released search code, or a published network's: `mobile`, `mobile_14`,
        `cpu`, `gpu`.
      width: what channels are multiplied by, then rounded to multiples of 8; those of the head only above 1.
      resolution: the side of the images.
      classes: the number of classes.
      strides, depths: of the six stages, to scale the space down to small images; the stem's stride is 2.

    Raises:
      ValueError: for other widths, or numbers that are too small.
    """
    if len(strides) != len(STRIDES) or len(depths) != len(DEPTHS) or min(*strides, *depths) < 1:
        raise ValueError(f"strides and depths must be six numbers of at least 1, got {strides} and {depths}")
    if widths not in WIDTHS:
        raise ValueError(f"widths must be one of {', '.join(WIDTHS)}, got {widths!r}")
    if not width > 0 or min(resolution, classes) < 1:
        raise ValueError(
            f"width must be above 0, resolution and classes at least 1, got {width}, {resolution} and {classes}"
        )
    stages = [[pg.oneof(OPERATIONS[: -1 if place == 0 else None]) for place in range(depth)] for depth in depths]
    return _network(_multiplied(WIDTHS[widths], width), stages, resolution, classes, strides)


def published(name: str) -> ProxylessNAS:
    """Return a published network: `proxyless_cpu`, `proxyless_gpu`, `proxyless_mobile` or `proxyless_mobile_14`.

    Its genotype is `GenotypeSpace(proxylessnas(WIDTHS)).encode(published(name))`, with WIDTHS the name's second part.

    Raises:
      ValueError: for another name.
    """
    widths, stages = find(NETS, name)
    network: ProxylessNAS = _network(WIDTHS[widths], [list(stage) for stage in stages], 224, 1000)
    return network


def _network(
    widths: Widths, stages: Sequence[list[Any]], resolution: int, classes: int, strides: Sequence[int] = STRIDES
) -> Any:
    made = [Stage(*fixed) for fixed in zip(widths.stages, strides, stages, strict=True)]
    return ProxylessNAS(widths.stem, widths.first, made, widths.head, resolution, classes)


def _multiplied(widths: Widths, width: float) -> Widths:
    if width == 1:
        return widths
    return Widths(
        blocks.divisible(widths.stem * width),
        blocks.divisible(widths.first * width),
        tuple(blocks.divisible(channels * width) for channels in widths.stages),
        blocks.divisible(widths.head * max(width, 1.0)),
    )


def _block(inputs: Shape, channels: int, kernel: int, expansion: int, stride: int, *, shortcut: bool) -> Op:
    return blocks.inverted_residual(
        inputs, channels, kernel, stride, middle=inputs[0] * expansion, activation=ACTIVATION, shortcut=shortcut
    )
