"""Plain vision transformers (Dosovitskiy et al., ICLR 2021): how many heads, blocks, and how wide a perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.op import Op, Shape
from spaces.token_compression.layouts import Layout
from spaces.token_compression.operators import graph

if TYPE_CHECKING:
    from torch import nn


class VisionTransformer(pg.Object):  # type: ignore[misc]
    """One transformer.

    Attributes:
      heads: of each attention; the width is as many times `head`.
      depth: how many blocks there are.
      ratio: the perceptron's hidden channels as a multiple of the width.
      head: the channels of a head.
      patch, side, channels, classes: as in `spaces.token_compression.layouts.Layout`.
    """

    heads: int
    depth: int
    ratio: int
    head: int
    patch: int
    side: int
    channels: int
    classes: int

    @property
    def layout(self) -> Layout:
        """Its sizes. Raises ValueError for impossible ones."""
        return Layout(
            self.head * self.heads,
            self.depth,
            self.heads,
            self.patch,
            self.side,
            self.channels,
            self.classes,
            self.ratio,
        )

    @property
    def input_shape(self) -> Shape:
        """The shape of one image."""
        return self.channels, self.side, self.side

    def build(self) -> nn.Module:
        """Return the network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.vit import ViT

        return ViT(self.layout)

    def ops(self) -> Sequence[Op]:
        """Return the operators that the network runs, as a graph."""
        whole = [self.layout.tokens] * self.depth
        return graph(self.layout, whole, whole)


def vit(
    heads: Sequence[int] = (2, 3, 4, 6),
    depths: Sequence[int] = (2, 4, 6),
    ratios: Sequence[int] = (2, 3, 4),
    *,
    head: int = 16,
    patch: int = 4,
    side: int = 32,
    channels: int = 3,
    classes: int = 10,
) -> Any:
    """Return the space. `vit(patch=2, side=8, channels=1)` is for the images of digits.

    Raises:
      ValueError: for sizes that no transformer has, see `spaces.token_compression.layouts.Layout`.
    """
    Layout(head * min(heads), min(depths), min(heads), patch, side, channels, classes, min(ratios))
    opened = [pg.oneof(list(choices)) for choices in (heads, depths, ratios)]
    return VisionTransformer(*opened, head, patch, side, channels, classes)
