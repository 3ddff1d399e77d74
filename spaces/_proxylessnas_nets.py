"""The four networks of ProxylessNAS, and the channels that its networks may have.

Source: the configurations and the search code of Cai, Zhu and Han, ICLR 2019 (github.com/mit-han-lab/proxylessnas).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Widths:
    """The channels of a network: of the stem, the fixed block, each stage and the last 1x1 convolution."""

    stem: int
    first: int
    stages: tuple[int, ...]
    head: int


WIDTHS = {
    "search": Widths(32, 16, (24, 40, 80, 96, 192, 320), 1280),
    "mobile": Widths(32, 16, (32, 40, 80, 96, 192, 320), 1280),
    "mobile_14": Widths(48, 24, (40, 56, 112, 136, 256, 448), 1792),
    "cpu": Widths(40, 24, (32, 48, 88, 104, 216, 360), 1432),
    "gpu": Widths(40, 24, (32, 56, 112, 128, 256, 432), 1728),
}
"""Of the released search code, and of each published network; `mobile` differs from `search` in its first stage."""

_MOBILE = """
    k5e3 k3e3 zero zero / k7e3 k3e3 k5e3 k5e3 / k7e6 k5e3 k5e3 k5e3 /
    k5e6 k5e3 k5e3 k5e3 / k7e6 k7e6 k7e3 k7e3 / k7e6
"""
_CPU = """
    k3e6 k3e3 k3e3 k3e3 / k3e6 k3e3 k3e3 k5e3 / k3e6 zero zero k3e3 /
    k5e6 k3e3 k3e3 k3e3 / k5e6 k5e3 k5e3 k3e3 / k5e6
"""
_GPU = """
    k5e3 zero zero zero / k7e3 zero zero k3e3 / k7e6 zero zero k5e3 /
    k5e6 zero k3e3 k5e3 / k7e6 k7e6 k7e6 k5e6 / k7e6
"""

NETS = {
    f"proxyless_{widths}": (widths, tuple(tuple(stage.split()) for stage in stages.split("/")))
    for widths, stages in (("cpu", _CPU), ("gpu", _GPU), ("mobile", _MOBILE), ("mobile_14", _MOBILE))
}
"""By published name: the name of its widths, and the operations of each stage."""
