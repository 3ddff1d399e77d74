"""What an operator is surrounded by when it is timed: what feeds it and what takes its output, as in a network.

Alone, an operator is not what it is in a network. Engines keep images in a layout of their own between convolutions,
and convert at both ends; they fuse an addition into the convolution before it; and a network's operator finds its input
in a near cache, as the operator before has just written it. So each operator is timed between a 1x1 convolution of one
channel, which makes its input, and a global average pool, which takes its output in; and what these take by themselves
is measured with every shape and subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hardware_models.op import Op, Shape

IMAGE_CHANNELS = 3
"""An operator of up to so many input channels is taken for the first of a network, which images reach as they are."""

MAKING = 0.5
"""The part of what a shape's surroundings take that goes into making it; the other goes into taking it in."""


class Surrounded(nn.Module):
    """An operator whose inputs are made by convolutions, and whose output is pooled.

    What is made is pooled too, which keeps engines from fusing the operator into what makes its input: in a network
    that has many readers, or is a sum. The first of several inputs is the exception: there, they do fuse.
    """

    def __init__(self, op: Op, module: nn.Module) -> None:
        super().__init__()
        self.makers = nn.ModuleList(_maker(shape) for shape in op.inputs)
        self.module = module
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pooled = [
            surrounds(shape) and (number > 0 or len(op.inputs) == 1) for number, shape in enumerate(op.inputs)
        ]
        self.taken_in = len(op.output) == 3

    def forward(self, *seeds: Tensor) -> tuple[Tensor, ...]:
        """Return the output, pooled where it is an image, and the pooled inputs."""
        inputs = [maker(seeds[number]) for number, maker in enumerate(self.makers)]  # seeds may be a tracer's, unsized
        output = self.module(*inputs)
        output = self.pool(output) if self.taken_in else output
        return output, *(self.pool(made) for made, pooled in zip(inputs, self.pooled, strict=True) if pooled)


class Surroundings(nn.Module):
    """What surrounds operators of one shape, without any: its input is made, and pooled."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.maker = _maker(shape)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, seed: Tensor) -> Tensor:
        """Return the pooled channels of what is made of one channel."""
        pooled: Tensor = self.pool(self.maker(seed))
        return pooled


def surrounds(shape: Shape) -> bool:
    """Return whether there is something before or after an operator of this input or output: only for images."""
    return len(shape) == 3 and shape[0] > IMAGE_CHANNELS


def seeds(examples: Sequence[Tensor], generator: torch.Generator) -> tuple[Tensor, ...]:
    """Return what `Surrounded` is run on in place of an operator's own inputs, one channel for each image."""
    return tuple(
        torch.randn(len(example), 1, *example.shape[2:], generator=generator).to(example.dtype)
        if surrounds(tuple(example.shape[1:]))
        else example
        for example in examples
    )


def parts(op: Op) -> dict[Shape, float]:
    """Return how much of which shapes' surroundings is timed with `op`, and must be subtracted."""
    counted: dict[Shape, float] = {}
    for number, shape in enumerate(op.inputs):
        if surrounds(shape):
            alone = number > 0 or len(op.inputs) == 1
            counted[shape] = counted.get(shape, 0.0) + (1.0 if alone else MAKING)
    if len(op.output) == 3:
        counted[op.output] = counted.get(op.output, 0.0) + 1.0 - MAKING
    return counted


def _maker(shape: Shape) -> nn.Module:
    return nn.Conv2d(1, shape[0], 1) if surrounds(shape) else nn.Identity()
