"""The multiply-accumulates of ElasticViT networks as the released code counts them, which is how they are published.

Source: github.com/microsoft/Moonlit, ElasticViT/models. Beside what `hardware_models.counts.macs` counts, it
- takes one for each number that a softmax puts out;
- takes each first block of a later stage of convolutions to have a 1x1 convolution in its shortcut, also where the
  width stays;
- leaves out that of the blocks that begin stages of transformers, and their squeeze-and-excitation;
- takes the depthwise convolution of values for 1x1, though it is 3x3;
- takes the image before a stride for twice as large as the one after it, also where its side is odd.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_models.space_identity import identity_of
from spaces._elasticvit_ops import FEATURES_EXPANSION, HEAD_WIDTH, REDUCTION_EXPANSION, REDUCTION_KERNEL
from spaces.genotype import GenotypeSpace

if TYPE_CHECKING:
    from spaces.elasticvit import ElasticViT

Whole = Any
"""A whole number, or an array of them, one a network."""


def released_macs(candidate: ElasticViT) -> int:
    """Return what the released code says of a network, for one image."""
    total: int = _network(candidate, candidate.widths)
    return total


class ReleasedMacs:
    """A hardware model of the genotypes of a space of `elasticvit`: `released_macs` of many networks at once.

    Attributes:
      space: what it must be asked of.
    """

    metrics = ("released_macs",)

    def __init__(self, space: GenotypeSpace) -> None:
        """Look up what each choice of the space is. Raises ValueError for a space of other networks."""
        from spaces.elasticvit import ElasticViT

        lowest = space.repair(np.zeros((1, space.width)))[0]
        self._like = space.decode(lowest)
        if not isinstance(self._like, ElasticViT):
            raise ValueError(f"the space's networks are {type(self._like).__name__}; expected those of elasticvit()")
        self.space = identity_of(space, "elasticvit")
        self._values: dict[str, np.ndarray] = {}
        for index, column in enumerate(space.columns):
            rows = lowest[None].repeat(column.cardinality, axis=0)
            rows[:, index] = range(column.cardinality)
            self._values[column.name] = np.array([space.decode(row).sym_get(column.name) for row in rows])

    def costs(self, genotypes: np.ndarray) -> np.ndarray:
        """Return `released_macs` of genotypes (n, width): float64 of shape (n, 1)."""
        chosen = {name: values[genotypes[:, at]] for at, (name, values) in enumerate(self._values.items())}

        def with_arrays(path: str, given: Any) -> SimpleNamespace:
            return SimpleNamespace(**{name: chosen.get(f"{path}{name}", value) for name, value in given.sym_items()})

        network = with_arrays("", self._like)
        for kind in ("convolutions", "transformers"):
            stages = [with_arrays(f"{kind}[{at}].", stage) for at, stage in enumerate(getattr(self._like, kind))]
            setattr(network, kind, stages)
        widths = list(accumulate((stage.width for stage in (*network.convolutions, *network.transformers)), np.maximum))
        return np.broadcast_to(_network(network, widths), len(genotypes)).astype(np.float64)[:, None]


def _network(net: Any, widths: Sequence[Whole]) -> Whole:
    side, inputs = -(-net.resolution // net.stem_stride), widths[0]
    total = 27 * inputs * side**2
    for stage, width in zip(net.convolutions, widths, strict=False):
        side = -(-side // stage.stride)
        total = total + _convolutions(stage, inputs, width, side)
        inputs = width
    for stage, width in zip(net.transformers, widths[len(net.convolutions) :], strict=True):
        side = -(-side // stage.stride)
        total = total + _transformers(stage, inputs, width, side)
        inputs = width
    wide = FEATURES_EXPANSION * inputs
    return total + inputs * wide * side**2 + wide * net.features + net.features * net.classes


def _convolutions(stage: Any, inputs: Whole, width: Whole, side: Whole) -> Whole:
    first = _convolution(stage, inputs, width, side, stage.stride) + inputs * width * side**2 * (stage.stride > 1)
    return first + (stage.depth - 1) * _convolution(stage, width, width, side, 1)


def _convolution(stage: Any, inputs: Whole, width: Whole, side: Whole, stride: int) -> Whole:
    middle = inputs * stage.expansion
    block = _mobile_block(inputs, width, side, kernel=stage.kernel, stride=stride, expansion=stage.expansion)
    return block + 2 * middle * (middle // 4) * stage.squeeze


def _mobile_block(inputs: Whole, width: Whole, side: Whole, *, kernel: Whole, stride: int, expansion: Whole) -> Whole:
    """Return what the three convolutions count for; without an expansion there are two."""
    middle = inputs * expansion
    return middle * (inputs * (stride * side) ** 2 * (expansion > 1) + kernel**2 * side**2 + width * side**2)


def _transformers(stage: Any, inputs: Whole, width: Whole, side: Whole) -> Whole:
    tokens, heads, values = side**2, width // HEAD_WIDTH, width * stage.v_scale
    scores = heads * tokens**2
    attention = scores * (HEAD_WIDTH + values // heads + 1) + tokens * (width * (2 * width + 2 * values) + values)
    feed_forward = 2 * width * stage.mlp_ratio * width * tokens
    reduction = _mobile_block(
        inputs, width, side, kernel=REDUCTION_KERNEL, stride=stage.stride, expansion=REDUCTION_EXPANSION
    )
    return reduction + stage.depth * (attention + feed_forward)
