"""The ElasticViT space of mobile vision transformers (Tang et al., ICCV 2023, arXiv 2303.09730, and its code).

Blocks are the released code's but for three things. Queries, keys and values are three layers of their own, where the
code views one layer's rows head by head, so that a shared row is a query in one network and a key in another. Tokens
are normalised each for itself, as a layer norm is understood, where the code takes all tokens of an image together. An
average over an odd side leaves the padding out. The counts of weights and multiply-accumulates are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models import blocks
from hardware_models.op import Op, Shape
from spaces._elasticvit_layouts import LAYOUTS, Layout
from spaces._elasticvit_macs import ReleasedMacs, released_macs
from spaces._elasticvit_nets import NETS, Net
from spaces._elasticvit_ops import ACTIVATION, attention_block, feed_forward, head, mobile_block, reduction
from spaces._published import find

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETS", "ConvolutionStage", "ElasticViT", "ReleasedMacs", "TransformerStage", "elasticvit", "largest",
           "published", "released_macs", "smallest"]  # fmt: skip


class ConvolutionStage(pg.Object):  # type: ignore[misc]
    """Mobile blocks of one width, the first with the stage's stride, all with a shortcut.

    Attributes:
      width: the channels that were chosen; see `ElasticViT.widths`.
      depth: how many.
      kernel: of the depthwise convolutions.
      expansion: what a block's input is widened by; with 1 there is no convolution that does it.
      stride: of the first block.
      squeeze: whether there is squeeze-and-excitation.
    """

    width: int
    depth: int
    kernel: int
    expansion: int
    stride: int
    squeeze: bool


class TransformerStage(pg.Object):  # type: ignore[misc]
    """A mobile block (3x3, expansion 6, squeeze-and-excitation), then attention and MLP in turn.

    Attributes:
      width: the channels that were chosen; see `ElasticViT.widths`.
      depth: how many of both.
      mlp_ratio: what the MLP widens its input by.
      v_scale: how wide the values are, as a multiple of the input.
      stride: of the mobile block.
    """

    width: int
    depth: int
    mlp_ratio: int
    v_scale: int
    stride: int


class ElasticViT(pg.Object):  # type: ignore[misc]
    """One network: a 3x3 convolution, stages of convolutions, stages of transformers, a head on the tokens' mean.

    Attributes:
      resolution: the side of the images.
      convolutions, transformers: the stages; the first convolution is as wide as the first of them.
      stem_stride: of the first convolution.
      features: of the layer before the last.
      classes: the number of classes.
    """

    resolution: int
    convolutions: list[ConvolutionStage]
    transformers: list[TransformerStage]
    stem_stride: int
    features: int
    classes: int

    @property
    def input_shape(self) -> Shape:
        """The shape of one image: (3, resolution, resolution)."""
        return 3, self.resolution, self.resolution

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of each stage: those chosen, or those of the stage before where these are more."""
        return tuple(accumulate((stage.width for stage in self.stages), max))

    @property
    def raised(self) -> bool:
        """Whether a stage is wider than was chosen, so that another genotype means the same network."""
        return self.widths != tuple(stage.width for stage in self.stages)

    @property
    def stages(self) -> tuple[ConvolutionStage | TransformerStage, ...]:
        """All stages, in the order they run."""
        return *self.convolutions, *self.transformers

    @property
    def depths(self) -> tuple[int, ...]:
        """The depth of each stage."""
        return tuple(stage.depth for stage in self.stages)

    def build(self) -> nn.Module:
        """Return the untrained network: float32 images (n, *input_shape) to logits (n, classes)."""
        from spaces.networks.elasticvit import network

        return network(self)

    def ops(self) -> tuple[Op, ...]:
        """Return the operators that the built network runs, in order: one a block, two for the head."""
        ops = [blocks.conv_bn(self.input_shape, self.widths[0], 3, self.stem_stride, activation=ACTIVATION)]
        for stage, width in zip(self.stages, self.widths, strict=True):
            make = _convolutions if isinstance(stage, ConvolutionStage) else _transformers
            ops += make(stage, ops[-1].output, width)
        return (*ops, *head(ops[-1].output, self.features, self.classes))


def elasticvit(
    variant: str = "released", *, resolutions: Sequence[int] | None = None, classes: int | None = None
) -> Any:
    """Return the space. Open are the resolution and of each stage the width, the depth and how its blocks are made.

    Widths never fall from stage to stage. This holds by construction: every stage chooses its own, and is as wide as
    the stage before where that is wider. So no genotype is refused, and several mean the same network: the released
    space's 54,487,280,517,120,000 genotypes are 21,672,453,419,827,200 networks, those whose genotype is not `raised`.
    The released sampler draws anew until no width falls; whoever wants its distribution drops what is `raised`.

    Args:
      variant: `released`, the published space; `small`, a space of this project's for images of 32x32 and a CPU: the
        same blocks in five stages, two resolutions, fewer and narrower blocks, ten classes.
      resolutions: sides of the images; None for the variant's.
      classes: the number of classes; None for the variant's.

    Raises:
      ValueError: for another variant, no resolution, or numbers below 1.
    """
    return _network(_layout(variant, resolutions, classes), _open)


def largest(
    variant: str = "released", *, resolutions: Sequence[int] | None = None, classes: int | None = None
) -> ElasticViT:
    """Return the network with the most of everything, whose weights hold those of all others; see `elasticvit`."""
    network: ElasticViT = _network(_layout(variant, resolutions, classes), max)
    return network


def smallest(
    variant: str = "released", *, resolutions: Sequence[int] | None = None, classes: int | None = None
) -> ElasticViT:
    """Return the network with the least of everything; see `elasticvit`."""
    network: ElasticViT = _network(_layout(variant, resolutions, classes), min)
    return network


def published(name: str) -> ElasticViT:
    """Return a published network: `ElasticViT-T1`, `-T2`, `-S1`, `-S2`, `-M`, `-L1`, `-L1.5`, `-L2`, `-L3`.

    `min-200`, `min-400` and `min-800` are the smallest networks that the supernet is trained with, for budgets of up to
    so many million multiply-accumulates. The genotype is `GenotypeSpace(elasticvit()).encode(published(name))`.

    Raises:
      ValueError: for another name; the message lists them.
    """
    network: ElasticViT = _network(_only(LAYOUTS["released"], find(NETS, name)), max)
    return network


def _layout(variant: str, resolutions: Sequence[int] | None, classes: int | None) -> Layout:
    if variant not in LAYOUTS:
        raise ValueError(f"variant must be {' or '.join(LAYOUTS)}, got {variant!r}")
    own = LAYOUTS[variant]
    sides = own.resolutions if resolutions is None else tuple(resolutions)
    made = replace(own, resolutions=sides, classes=own.classes if classes is None else classes)
    if not sides or min(*sides, made.classes, 1) < 1:
        raise ValueError(
            f"resolutions must hold whole numbers of at least 1, classes be at least 1, got {sides} and {made.classes}"
        )
    return made


def _only(layout: Layout, net: Net) -> Layout:
    """Return the layout in which every choice is the network's."""
    convolutions = [
        replace(stage, widths=(width,), depths=(depth,), kernels=(kernel,), expansions=(expansion,))
        for stage, width, depth, kernel, expansion in zip(
            layout.convolutions, net.widths, net.depths, net.kernels, net.expansions, strict=False
        )
    ]
    after = len(convolutions)
    transformers = [
        replace(stage, widths=(width,), depths=(depth,), mlp_ratios=(ratio,), v_scales=(scale,))
        for stage, width, depth, ratio, scale in zip(
            layout.transformers, net.widths[after:], net.depths[after:], net.mlp_ratios, net.v_scales, strict=True
        )
    ]
    return replace(
        layout, resolutions=(net.resolution,), convolutions=tuple(convolutions), transformers=tuple(transformers)
    )


def _network(layout: Layout, choose: Callable[[Sequence[Any]], Any]) -> Any:
    """Return the network in which `choose` has made every choice, or left it open."""
    convolutions = [
        ConvolutionStage(
            choose(stage.widths),
            choose(stage.depths),
            choose(stage.kernels),
            choose(stage.expansions),
            stage.stride,
            stage.squeeze,
        )
        for stage in layout.convolutions
    ]
    transformers = [
        TransformerStage(
            choose(stage.widths), choose(stage.depths), choose(stage.mlp_ratios), choose(stage.v_scales), stage.stride
        )
        for stage in layout.transformers
    ]
    return ElasticViT(
        resolution=choose(layout.resolutions),
        convolutions=convolutions,
        transformers=transformers,
        stem_stride=layout.stem_stride,
        features=layout.features,
        classes=layout.classes,
    )


def _convolutions(stage: ConvolutionStage, inputs: Shape, width: int) -> list[Op]:
    ops: list[Op] = []
    for place in range(stage.depth):
        ops.append(
            mobile_block(
                ops[-1].output if place else inputs,
                width,
                stage.kernel,
                1 if place else stage.stride,
                expansion=stage.expansion,
                squeezed=stage.squeeze,
            )
        )
    return ops


def _transformers(stage: TransformerStage, inputs: Shape, width: int) -> list[Op]:
    first = reduction(inputs, width, stage.stride)
    pair = attention_block(first.output, stage.v_scale), feed_forward(first.output, stage.mlp_ratio)
    return [first, *pair * stage.depth]


def _open(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else pg.oneof(list(values))
