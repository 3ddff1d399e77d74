"""The networks that were published with the once-for-all supernets, specialised for devices.

Source: the configurations of the model zoo of Cai et al., ICLR 2020 (github.com/mit-han-lab/once-for-all). A name
tells the device and latency that a network was searched for, its ImageNet top-1 accuracy, and the epochs of its tuning.
"""

from __future__ import annotations

from dataclasses import dataclass

Blocks = tuple[tuple[int, int], ...]
"""The kernel and the expansion of each block of a stage."""


@dataclass(frozen=True, slots=True)
class Net:
    """One published network.

    Attributes:
      supernet, width: the space that it belongs to.
      resolution: the side of its images.
      stages: its blocks.
    """

    supernet: str
    width: float
    resolution: int
    stages: tuple[Blocks, ...]


def _net(supernet: str, width: float, resolution: int, stages: str) -> Net:
    """Read stages such as `33 54 / 76`: a kernel and an expansion for each block."""
    read = tuple(tuple((int(block[0]), int(block[1])) for block in stage.split()) for stage in stages.split("/"))
    return Net(supernet, width, resolution, read)


NETS = {
    "1080ti_gpu64@12ms_top1@72.6_finetune@25": _net(
        "proxylessnas", 1.3, 128, "33 33 / 36 54 54 / 56 53 73 / 34 73 36 34 / 76 54 73 53 / 36"
    ),
    "1080ti_gpu64@22ms_top1@75.3_finetune@25": _net(
        "proxylessnas", 1.3, 188, "33 33 / 53 36 / 34 54 36 / 34 36 74 / 36 54 54 / 34"
    ),
    "LG-G8_lat@11ms_top1@73.0_finetune@25": _net(
        "mobilenetv3", 1.0, 156, "33 33 / 53 34 74 / 54 33 / 54 34 53 / 56 76 54"
    ),
    "LG-G8_lat@24ms_top1@76.4_finetune@25": _net(
        "mobilenetv3", 1.0, 220, "33 33 / 74 53 33 / 56 54 53 / 34 74 53 / 56 76 36 34"
    ),
    "cpu_lat@10ms_top1@71.1_finetune@25": _net(
        "proxylessnas", 1.3, 144, "54 33 / 33 33 / 73 33 73 / 53 54 / 53 34 / 34"
    ),
    "cpu_lat@15ms_top1@74.6_finetune@25": _net(
        "proxylessnas", 1.3, 188, "33 33 / 34 36 / 76 34 / 54 36 36 / 56 33 / 76"
    ),
    "flops@389M_top1@79.1_finetune@75": _net(
        "mobilenetv3", 1.2, 224, "33 33 / 53 56 33 / 54 54 33 / 56 54 34 34 / 36 36 76 33"
    ),
    "flops@595M_top1@80.0_finetune@75": _net(
        "mobilenetv3", 1.2, 236, "33 54 33 / 54 54 36 53 / 76 56 33 54 / 36 56 76 34 / 36 36 56 33"
    ),
    "note10_lat@16ms_top1@75.5_finetune@25": _net(
        "mobilenetv3", 1.0, 192, "33 33 / 53 54 34 33 / 54 54 33 / 54 54 33 / 36 74 54 33"
    ),
    "note10_lat@30ms_top1@78.4_finetune@75": _net(
        "mobilenetv3", 1.2, 224, "33 33 / 54 33 34 / 54 54 33 / 36 34 34 / 36 36 34 33"
    ),
    "note10_lat@50ms_top1@79.7_finetune@75": _net(
        "mobilenetv3", 1.2, 220, "53 36 36 / 54 36 36 53 / 76 76 34 54 / 76 56 36 36 / 36 36 36"
    ),
    "note10_lat@8ms_top1@71.4_finetune@25": _net("mobilenetv3", 1.0, 160, "33 33 / 33 34 / 34 33 33 / 33 34 / 34 54"),
    "note8_lat@31ms_top1@72.8_finetune@25": _net(
        "mobilenetv3", 1.0, 152, "53 33 / 54 53 / 34 34 54 / 34 53 74 / 36 33 53 53"
    ),
    "note8_lat@65ms_top1@76.1_finetune@25": _net(
        "mobilenetv3", 1.0, 204, "73 33 / 34 54 33 / 76 36 34 / 56 36 34 / 56 54 54 33"
    ),
    "pixel1_lat@143ms_top1@80.1_finetune@75": _net(
        "mobilenetv3", 1.2, 240, "53 36 33 / 56 56 36 53 / 76 56 36 34 / 56 36 56 34 / 36 36 56 33"
    ),
    "pixel1_lat@28ms_top1@73.3_finetune@25": _net(
        "mobilenetv3", 1.0, 160, "33 34 / 73 36 34 / 73 36 / 36 54 / 36 34 33 36"
    ),
    "pixel1_lat@58ms_top1@76.9_finetune@75": _net(
        "mobilenetv3", 1.0, 220, "33 33 / 74 53 33 / 56 54 53 / 34 74 53 / 56 76 36 34"
    ),
    "pixel2_lat@25ms_top1@71.5_finetune@25": _net("mobilenetv3", 1.0, 144, "33 33 / 56 54 / 74 33 / 74 73 34 / 56 34"),
    "pixel2_lat@50ms_top1@74.7_finetune@25": _net(
        "mobilenetv3", 1.0, 208, "33 34 / 33 33 / 33 56 / 56 74 / 36 53 74 53"
    ),
    "s7edge_lat@29ms_top1@70.5_finetune@25": _net("mobilenetv3", 1.0, 144, "33 33 / 53 34 / 54 34 / 54 54 / 36 53"),
    "s7edge_lat@58ms_top1@74.7_finetune@25": _net(
        "mobilenetv3", 1.0, 192, "33 33 / 53 34 / 74 53 34 33 / 34 34 33 / 36 54 54"
    ),
    "tx2_gpu16@35ms_top1@70.3_finetune@25": _net(
        "proxylessnas", 1.3, 128, "34 33 / 36 76 / 56 53 / 53 34 / 56 34 / 54"
    ),
    "tx2_gpu16@80ms_top1@75.4_finetune@25": _net(
        "proxylessnas", 1.3, 188, "33 33 / 53 36 / 34 54 36 / 34 36 74 / 36 54 54 / 34"
    ),
    "v100_gpu64@11ms_top1@76.1_finetune@25": _net(
        "proxylessnas", 1.3, 192, "33 33 / 56 53 / 73 33 74 / 74 54 33 74 / 36 56 54 36 / 34"
    ),
    "v100_gpu64@6ms_top1@73.0_finetune@25": _net(
        "proxylessnas", 1.3, 144, "33 34 / 53 34 / 36 73 33 / 53 54 36 / 36 54 33 / 34"
    ),
}
"""By published name."""
