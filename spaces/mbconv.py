"""A small space of inverted residuals for 8x8 to 32x32 images (MobileNetV2: Sandler et al., CVPR 2018, section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models import blocks
from hardware_models.graph import Graph, Tape
from hardware_models.op import Op, Shape, chain, elementwise, linear

if TYPE_CHECKING:
    from torch import nn


class Block(pg.Object):  # type: ignore[misc]
    """An inverted residual: 1x1 expansion, depthwise kernel x kernel, linear 1x1 projection; `then` follows it."""

    kernel: int
    expansion: int
    then: Block | None = None


class Stage(pg.Object):  # type: ignore[misc]
    """Blocks of one width; the first has the stage's stride, the others add their input to their output."""

    width: int
    stride: int
    first: Block


class MBConv(pg.Object):  # type: ignore[misc]
    """One network: a 3x3 stem, stages of inverted residuals, a 1x1 convolution, pooling and a linear layer."""

    stages: list[Stage]
    stem: int
    head: int
    classes: int
    image: tuple[int, int, int]

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (channels, height, width)."""
        return tuple(self.image)

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.mbconv import Network

        return Network(self)

    def layers(self) -> Iterator[tuple[Block, int, int]]:
        """Yield each block that is present with its output channels and its stride, in the order they run."""
        for stage in self.stages:
            block: Block | None = stage.first
            stride = stage.stride
            while block is not None:
                yield block, stage.width, stride
                block, stride = block.then, 1

    def ops(self) -> Graph:
        """Return the operators that the built network runs, in order: one a block, and each residual addition."""
        tape = Tape(self.input_shape)
        features = tape.run(blocks.conv_bn(self.input_shape, self.stem, 3, activation="relu6"), 0)
        for block, width, stride in self.layers():
            shape = tape.shape(features)
            middle = shape[0] * block.expansion
            op = blocks.inverted_residual(shape, width, block.kernel, stride, middle=middle, activation="relu6")
            body = tape.run(op, features)
            shortcut = stride == 1 and shape[0] == width
            features = tape.run(elementwise("add", shape, 2), features, body) if shortcut else body
        tape.run(_head(tape.shape(features), self.head, self.classes), features)
        return tape.graph()


def mbconv(
    image: tuple[int, int, int] = (1, 8, 8),
    classes: int = 10,
    *,
    widths: Sequence[Sequence[int]] = ((4, 8, 12), (8, 16, 24), (16, 24, 32)),
    strides: Sequence[int] = (1, 2, 2),
    depth: int = 3,
    kernels: Sequence[int] = (3, 5),
    expansions: Sequence[int] = (1, 2, 4),
    stem: int = 8,
    head: int = 64,
) -> Any:
    """Return the space. Open are each stage's width and depth and each block's kernel and expansion.

    A block's successor is a choice between none and one more block, so that absent blocks have no decisions:
    every genotype is another network. The defaults suit 8x8 digits and hold 774^3 = 463,684,824 networks.

    Args:
      image: (channels, height, width) of the input.
      classes: the number of classes.
      widths: the channels that each stage may have.
      strides: of each stage's first block.
      depth: the largest number of blocks in a stage.
      kernels: odd sides of a depthwise convolution.
      expansions: factors by which a block widens its input; 1 leaves the expansion out.
      stem: channels of the first convolution.
      head: channels before the classifier.

    Raises:
      ValueError: for numbers below 1, an even kernel, or unequal numbers of widths and strides.
    """
    numbers = [
        *image,
        classes,
        depth,
        stem,
        head,
        *strides,
        *kernels,
        *expansions,
        *(w for some in widths for w in some),
    ]
    if min(numbers) < 1:
        raise ValueError(f"every number of an mbconv space must be at least 1, got {min(numbers)}")
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"kernels must be odd, got {tuple(kernels)}")
    if len(widths) != len(strides):
        raise ValueError(f"widths and strides must name the same stages, got {len(widths)} and {len(strides)}")
    stages = [
        Stage(width=pg.oneof(choices), stride=stride, first=_blocks(depth, kernels, expansions))
        for choices, stride in zip(widths, strides, strict=True)
    ]
    return MBConv(stages=stages, stem=stem, head=head, classes=classes, image=tuple(image))


def _blocks(depth: int, kernels: Sequence[int], expansions: Sequence[int]) -> Any:
    then = pg.oneof([None, _blocks(depth - 1, kernels, expansions)]) if depth > 1 else None
    return Block(kernel=pg.oneof(kernels), expansion=pg.oneof(expansions), then=then)


@cache
def _head(shape: Shape, channels: int, classes: int) -> Op:
    conv = blocks.conv_bn(shape, channels, 1, activation="relu6")
    return chain("head", *conv.inner, Op("global_avg_pool", (conv.output,), (channels,)), linear((channels,), classes))
