"""The NAS-Bench-Macro space of 6,561 networks for CIFAR-10 (Su et al., CVPR 2021, and its published code)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pyglove as pg

from hardware_models import blocks
from hardware_models.op import Op, Shape, chain, conv2d, elementwise

if TYPE_CHECKING:
    from torch import nn

Operation = Literal["identity", "mb3_k3", "mb6_k5"]

OPERATIONS: tuple[Operation, ...] = ("identity", "mb3_k3", "mb6_k5")
"""What a layer may be, in the published order: a genotype's value is the published digit."""

FORMS = {"mb3_k3": (3, 3), "mb6_k5": (6, 5)}
"""Expansion and kernel of the inverted residuals."""

DEPTHS = (2, 3, 3)
"""The layers of each stage, the first of which halves the sides and doubles the channels."""

HEAD = 1280
ACTIVATION = "relu"


class NasBenchMacro(pg.Object):  # type: ignore[misc]
    """One network: a 3x3 stem, eight layers in three stages, a 1x1 convolution and a classifier.

    An identity is nothing, or a 1x1 convolution with a norm where it begins a stage.

    Attributes:
      layers: what is open, one operation for each layer.
      channels: of the stem; the stages have twice, four and eight times as many.
      resolution: the side of the images.
      classes: the number of classes.
    """

    layers: list[Operation]
    channels: int = 32
    resolution: int = 32
    classes: int = 10

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (3, resolution, resolution)."""
        return 3, self.resolution, self.resolution

    @property
    def code(self) -> str:
        """The published code of eight digits, e.g. `22212220` for the most accurate network."""
        return "".join(str(OPERATIONS.index(layer)) for layer in self.layers)

    def places(self) -> Iterator[tuple[Operation, int, int]]:
        """Yield the operation, the output channels and the stride of each layer, in the order they run."""
        layers = iter(self.layers)
        for stage, depth in enumerate(DEPTHS, 1):
            for place in range(depth):
                yield next(layers), self.channels * 2**stage, 1 if place else 2

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.nasbench_macro import network

        return network(self)

    def ops(self) -> tuple[Op, ...]:
        """Return the operators that the built network runs, in order: one a layer, its addition included."""
        ops = [blocks.conv_bn(self.input_shape, self.channels, 3, activation=ACTIVATION)]
        for operation, width, stride in self.places():
            ops += _layer(ops[-1].output, operation, width, stride)
        ops.append(blocks.conv_bn(ops[-1].output, HEAD, 1, activation=ACTIVATION))
        return (*ops, blocks.classifier(ops[-1].output, self.classes))


def nasbench_macro(*, channels: int = 32, resolution: int = 32, classes: int = 10) -> Any:
    """Return the space: eight layers of three operations, 3^8 = 6,561 genotypes; a row is the published code.

    Where an identity stands within a stage counts, though the same blocks in the same order make the same network.

    Args:
      channels: of the stem.
      resolution: the side of the images.
      classes: the number of classes.

    Raises:
      ValueError: for numbers below 1.
    """
    _check(channels, resolution, classes)
    return NasBenchMacro([pg.oneof(OPERATIONS) for _ in range(sum(DEPTHS))], channels, resolution, classes)


def from_code(code: str, *, channels: int = 32, resolution: int = 32, classes: int = 10) -> NasBenchMacro:
    """Return the network of a published code of eight digits; the settings are `nasbench_macro`'s.

    Raises:
      ValueError: for another code, and numbers below 1.
    """
    _check(channels, resolution, classes)
    if len(code) != sum(DEPTHS) or not set(code) <= set("012"):
        raise ValueError(f"a code must be {sum(DEPTHS)} digits from 0 to 2, got {code!r}")
    return NasBenchMacro([OPERATIONS[int(digit)] for digit in code], channels, resolution, classes)


def _check(channels: int, resolution: int, classes: int) -> None:
    if min(channels, resolution, classes) < 1:
        raise ValueError(
            f"channels, resolution and classes must be at least 1, got {channels}, {resolution} and {classes}"
        )


def _layer(inputs: Shape, operation: Operation, width: int, stride: int) -> tuple[Op, ...]:
    if operation == "identity":
        return () if stride == 1 else (_projection(inputs, width, stride),)
    expansion, kernel = FORMS[operation]
    block = blocks.inverted_residual(
        inputs, width, kernel, stride, middle=inputs[0] * expansion, activation=ACTIVATION, shortcut=stride == 1
    )
    return (block,)


def _projection(inputs: Shape, width: int, stride: int) -> Op:
    conv = conv2d(inputs, width, 1, stride)
    return chain("conv_bn", conv, elementwise("batch_norm2d", conv.output))
