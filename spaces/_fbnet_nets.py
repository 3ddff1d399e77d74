"""The networks of FBNet, and what every network of its space has in common.

Source: Wu et al., CVPR 2019, table 1, and the authors' model zoo (github.com/facebookresearch/
mobile-vision); the layout for 32x32 images is HW-NAS-Bench's (Li et al., ICLR 2021).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """What is not searched: channels and stride of the stem, each stage's channels, first stride and layers, the head.

    Attributes:
      stem, head: channels of the first and of the last convolution.
      stem_stride: of the first convolution.
      widths, strides, depths: of each stage.
      resolution: the side of the images.
      classes: the number of classes.
    """

    stem: int
    stem_stride: int
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    depths: tuple[int, ...]
    head: int
    resolution: int
    classes: int


WIDTHS, DEPTHS = (16, 24, 32, 64, 112, 184, 352), (1, 4, 4, 4, 4, 4, 1)

LAYOUTS = {
    "imagenet": Layout(16, 2, WIDTHS, (1, 2, 2, 2, 1, 2, 1), DEPTHS, 1984, 224, 1000),
    "cifar": Layout(16, 1, WIDTHS, (1, 1, 2, 2, 1, 2, 1), DEPTHS, 1504, 32, 100),
}
"""By variant: the paper's, and HW-NAS-Bench's for CIFAR-100."""

SMALL = Layout(8, 2, (8, 16, 16, 24, 40, 72, 128), (1, 2, 2, 2, 1, 2, 1), (1, 2, 2, 1, 1, 2, 1), 1416, 96, 1000)
"""Of FBNet-96 alone."""


@dataclass(frozen=True, slots=True)
class Net:
    """A published network.

    Attributes:
      stages: the operations of each stage.
      head: channels of the last convolution.
      expand: whether blocks of expansion 1 have their first 1x1 convolution.
      layout: all the rest.
    """

    stages: tuple[tuple[str, ...], ...]
    head: int
    expand: bool = True
    layout: Layout = LAYOUTS["imagenet"]


def _stages(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(stage.split()) for stage in text.split("/"))


A = _stages("""
    skip / k3_e3 k3_e1 skip skip / k5_e6 k3_e3 k5_e1 k3_e3 / k5_e6 k5_e3 k5_e1_g2 k5_e6 /
    k3_e6 k5_e1_g2 k5_e3 k3_e1_g2 / k5_e6 k5_e6 k5_e3 k5_e6 / k5_e6
""")
B = _stages("""
    k3_e1 / k3_e6 k5_e1 k3_e1 k3_e1 / k5_e6 k5_e3 k3_e6 k5_e6 / k5_e6 k5_e1 skip k5_e3 /
    k5_e6 k3_e1 k5_e1 k5_e3 / k5_e6 k5_e1 k5_e6 k5_e6 / k3_e6
""")
B_2019 = _stages("""
    k3_e1 / k3_e6 k5_e1 k3_e1 k3_e1 / k5_e6 k5_e3 k3_e6 k3_sep / k5_e6 k5_e1 skip k5_e3 /
    k5_e6 k3_e1 k5_e1 k5_e3 / k5_e6 k5_e1 k5_e6 k5_e6 / k3_e6
""")
B_2020 = _stages("""
    k3_e1 / k3_e6 k5_e1 k3_e1 k3_e1 / k5_e6 k5_e3 k3_e6 k5_e6 / k5_e6 k5_e6 skip k5_e3 /
    k5_e6 k3_e1 k5_e1 k5_e3 / k5_e6 k5_e1 k5_e6 k5_e6 / k3_e6
""")
C = _stages("""
    k3_e1 / k3_e6 skip k3_e1 k3_e1 / k5_e6 k5_e3 k5_e6 k3_e6 / k5_e6 k5_e3 k5_e6 k5_e6 /
    k5_e6 k5_e6 k5_e6 k5_e3 / k5_e6 k5_e6 k5_e6 k5_e6 / k3_e6
""")
C_2019 = _stages("""
    k3_e1 / k3_e6 skip k3_e1 k3_e1 / k5_e6 k5_e3 k3_sep k3_e6 / k5_e6 k5_e3 k5_e6 k5_e6 /
    k5_e6 k3_sep k5_e6 k5_e3 / k5_e6 k5_e6 k5_e6 k5_e6 / k3_e6
""")
S8 = _stages("""
    k3_e1 / k3_e3 k3_e1 skip skip / k5_e6 k3_e3 k3_e3 k3_e6 / k5_e6 k5_e3 k5_e3 k5_e3 /
    k3_e6 k5_e3 k5_e3 k5_e3 / k5_e6 k5_e6 k5_e3 k5_e6 / k5_e6
""")
IPHONE_X = _stages("""
    skip / k3_e6 k3_e1 k3_e1 k3_e1 / k3_e6 k3_e6 k3_e6 k3_e6 / k3_e6 k3_e6 k3_e3 k3_e6 /
    k3_e6 k3_e3 k3_e3 k3_e3 / k5_e6 k5_e6 k5_e6 k5_e3 / k5_e6
""")
NINETY_SIX = _stages("k3_e1 / k3_e6 k3_e6 / k5_e6 k5_e6 / k5_e6 / k3_e6 / k5_e6 k5_e6 / k5_e6")

NETS = {
    "FBNet-A": Net(A, 1504),
    "FBNet-B": Net(B, 1984),
    "FBNet-C": Net(C, 1984),
    "FBNet-S8": Net(S8, 1504),
    "FBNet-iPhoneX": Net(IPHONE_X, 1504),
    "FBNet-96": Net(NINETY_SIX, 1416, layout=SMALL),
    "FBNet-B-2019": Net(B_2019, 1984),
    "FBNet-C-2019": Net(C_2019, 1984),
    "FBNet-B1": Net(B_2019, 1504),
    "FBNet-C1": Net(C_2019, 1504),
    "FBNet-A-2020": Net(A, 1504, expand=False),
    "FBNet-B-2020": Net(B_2020, 1984, expand=False),
    "FBNet-C-2020": Net(C, 1984, expand=False),
}
"""By name. 2019 and 2020 are the zoo's releases, FBNet-B1 and FBNet-C1 its networks with fewer channels in the head."""
