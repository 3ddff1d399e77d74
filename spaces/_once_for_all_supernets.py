"""What is fixed in the two families of once-for-all networks (Cai et al., ICLR 2020, section 3, and its code)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Activation = Literal["relu", "relu6", "hardswish"]


@dataclass(frozen=True, slots=True)
class Supernet:
    """One family; channels are those at width 1.

    Attributes:
      width: of its published networks, by default.
      stem, first: channels of the stem and of the fixed block.
      head: channels of the 1x1 convolutions after the last stage.
      activation, first_activation: of stem and head, and of the fixed block.
      widths, strides, squeeze, activations: of each stage.
      single: whether the last stage has one block whatever the depths.
      norm_eps: of the batch norms.
    """

    width: float
    stem: int
    first: int
    head: tuple[int, ...]
    activation: Activation
    first_activation: Activation
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    squeeze: tuple[bool, ...]
    activations: tuple[Activation, ...]
    single: bool
    norm_eps: float


SUPERNETS = {
    "mobilenetv3": Supernet(
        width=1.0,
        stem=16,
        first=16,
        head=(960, 1280),
        activation="hardswish",
        first_activation="relu",
        widths=(24, 40, 80, 112, 160),
        strides=(2, 2, 2, 1, 2),
        squeeze=(False, True, False, True, True),
        activations=("relu", "relu", "hardswish", "hardswish", "hardswish"),
        single=False,
        norm_eps=1e-5,
    ),
    "proxylessnas": Supernet(
        width=1.3,
        stem=32,
        first=16,
        head=(1280,),
        activation="relu6",
        first_activation="relu6",
        widths=(24, 40, 80, 96, 192, 320),
        strides=(2, 2, 2, 1, 2, 1),
        squeeze=(False,) * 6,
        activations=("relu6",) * 6,
        single=True,
        norm_eps=1e-3,
    ),
}
"""By name. Supernets were published of `mobilenetv3` at widths 1.0 and 1.2, of `proxylessnas` at 1.3."""
