"""The published ElasticViT networks, and the smallest networks that its supernet was trained with.

Source: Tang et al., ICCV 2023 (arXiv 2303.09730), and its code (github.com/microsoft/Moonlit, ElasticViT/configs).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Net:
    """A published network; whole numbers for the seven stages, the kernels and expansions of the first three of them.

    Attributes:
      resolution: the side of its images.
      widths, depths: of all stages.
      kernels, expansions: of the stages of convolutions.
      mlp_ratios, v_scales: of the stages of transformers.
    """

    resolution: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    kernels: tuple[int, ...]
    expansions: tuple[int, ...]
    mlp_ratios: tuple[int, ...]
    v_scales: tuple[int, ...] = (2, 2, 2, 2)


def _net(resolution: int, widths: str, *others: str) -> Net:
    """Read widths that are set apart by spaces; of depths, kernels, expansions and ratios each digit is a number."""
    return Net(resolution, tuple(map(int, widths.split())), *(tuple(map(int, digits)) for digits in others))


NETS = {
    "ElasticViT-T1": _net(128, "16 24 32 64 96 176 272", "1231111", "333", "133", "2234"),
    "ElasticViT-T2": _net(160, "16 24 40 48 96 176 256", "1231122", "333", "133", "3432"),
    "ElasticViT-S1": _net(192, "16 24 40 64 96 192 272", "1332222", "333", "133", "2234"),
    "ElasticViT-S2": _net(224, "16 24 48 64 96 192 256", "1332222", "333", "133", "2224"),
    "ElasticViT-M": _net(224, "16 32 48 64 96 192 288", "1352222", "533", "133", "2445"),
    "ElasticViT-L1": _net(256, "16 24 40 64 96 192 320", "1332222", "555", "136", "4344"),
    "ElasticViT-L1.5": _net(256, "16 24 48 64 96 256 320", "2442222", "335", "134", "4535"),
    "ElasticViT-L2": Net(
        256, (16, 24, 40, 80, 128, 256, 304), (1, 3, 4, 2, 2, 2, 2), (3, 3, 3), (1, 6, 6), (3, 2, 3, 5), (2, 2, 2, 3)
    ),
    "ElasticViT-L3": _net(256, "16 32 48 80 128 256 320", "1342222", "535", "155", "4435"),
    "min-200": _net(128, "16 16 16 48 80 144 160", "1221111", "333", "133", "2222"),
    "min-400": _net(176, "16 24 32 48 96 176 224", "1332222", "333", "133", "2322"),
    "min-800": _net(224, "16 24 32 64 96 192 256", "1332222", "333", "133", "2222"),
}
"""By name: the nine of the family, and the smallest networks for budgets of up to 200, 400 and 800 million MACs."""
