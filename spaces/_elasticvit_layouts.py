"""What ElasticViT networks may be: the released space, and one of this project's for small images.

Source of the released one: Tang et al., ICCV 2023 (arXiv 2303.09730), and its code (github.com/microsoft/Moonlit,
ElasticViT/configs/final_3min_space.yaml).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Convolutions:
    """What a stage of mobile blocks may be; kernel and expansion are those of all its blocks."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    stride: int
    expansions: tuple[int, ...]
    kernels: tuple[int, ...] = (3, 5)
    squeeze: bool = False


@dataclass(frozen=True, slots=True)
class Transformers:
    """What a stage of transformers may be; the ratio of the MLP and the scale of the values are those of all blocks."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    stride: int
    mlp_ratios: tuple[int, ...] = (2, 3, 4, 5)
    v_scales: tuple[int, ...] = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Layout:
    """What all networks of a space have in common, and what they may be.

    Attributes:
      resolutions: sides of the images.
      stem_stride: of the first convolution, which is as wide as the first stage.
      convolutions, transformers: the stages, in this order; their strides are those of their first blocks.
      features: of the layer before the last.
      classes: the number of classes.
    """

    resolutions: tuple[int, ...]
    stem_stride: int
    convolutions: tuple[Convolutions, ...]
    transformers: tuple[Transformers, ...]
    features: int
    classes: int


def _from_to(least: int, most: int, step: int = 1) -> tuple[int, ...]:
    return tuple(range(least, most + 1, step))


LAYOUTS = {
    "released": Layout(
        resolutions=(128, 160, 176, 192, 224, 256),
        stem_stride=2,
        convolutions=(
            Convolutions((16, 24), (1, 2), 1, expansions=(1,)),
            Convolutions(_from_to(16, 32, 8), _from_to(2, 5), 2, expansions=(3, 4, 5, 6)),
            Convolutions(_from_to(16, 48, 8), _from_to(2, 6), 2, expansions=(3, 4, 5, 6), squeeze=True),
        ),
        transformers=(
            Transformers(_from_to(48, 96, 16), _from_to(1, 5), 2),
            Transformers(_from_to(80, 160, 16), _from_to(1, 6), 1),
            Transformers(_from_to(144, 288, 16), _from_to(1, 6), 2),
            Transformers(_from_to(160, 320, 16), _from_to(1, 6), 2),
        ),
        features=1984,
        classes=1000,
    ),
    "small": Layout(
        resolutions=(24, 32),
        stem_stride=1,
        convolutions=(
            Convolutions((8, 16), (1,), 1, expansions=(1,)),
            Convolutions((16, 24), (1, 2), 2, expansions=(3, 4)),
            Convolutions((16, 24, 32), (1, 2, 3), 2, expansions=(3, 4), squeeze=True),
        ),
        transformers=(
            Transformers((32, 48, 64), (1, 2, 3), 1, mlp_ratios=(2, 3, 4), v_scales=(2, 3)),
            Transformers((48, 64, 80, 96), (1, 2, 3), 2, mlp_ratios=(2, 3, 4), v_scales=(2, 3)),
        ),
        features=256,
        classes=10,
    ),
}
"""By variant."""
