"""The networks of NAS-Bench-201 in PyTorch (Dong & Yang, ICLR 2020, section 2.1 and figure 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spaces.nasbench201 import EDGES, Operation, live_edges


class Network(nn.Module):
    """A stem, three stages of cells with residual reductions between them, and a head: images to logits."""

    def __init__(self, edges: tuple[Operation, ...], classes: int, channels: int, cells: int) -> None:
        super().__init__()
        widths = (channels, 2 * channels, 4 * channels)
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.stages = nn.ModuleList(
            nn.Sequential(
                *([Reduction(width // 2)] if stage else []),
                *(Cell(edges, width) for _ in range(cells)),
            )
            for stage, width in enumerate(widths)
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, classes), of images (n, 3, height, width)."""
        features = self.stem(images)
        for stage in self.stages:
            features = stage(features)
        pooled = self.norm(features).relu().mean((2, 3))
        logits: Tensor = self.classifier(pooled)
        return logits


class Cell(nn.Module):
    """Four nodes, each the sum of its incoming edges; holds all edges, runs the live ones."""

    def __init__(self, edges: tuple[Operation, ...], channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(_edge(edge, channels) for edge in edges)
        live = live_edges(edges)
        self.incoming = {node: [index for index in live if EDGES[index][1] == node] for node in (1, 2, 3)}

    def forward(self, inputs: Tensor) -> Tensor:
        """Return node 3, of the inputs' shape; zeros where it is not connected to the input."""
        nodes = {0: inputs}
        for node, incoming in self.incoming.items():
            for index in incoming:
                value = self.edges[index](nodes[EDGES[index][0]])
                nodes[node] = nodes[node] + value if node in nodes else value
        return nodes[3] if 3 in nodes else torch.zeros_like(inputs)


class Reduction(nn.Module):
    """A residual block of stride 2 that doubles the channels; its shortcut pools before a 1x1 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _relu_conv_bn(channels, 2 * channels, 3, 2), _relu_conv_bn(2 * channels, 2 * channels, 3)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of twice the channels and half the side."""
        outputs: Tensor = self.body(inputs) + self.shortcut(inputs)
        return outputs


def _edge(operation: Operation, channels: int) -> nn.Module:
    match operation:
        case "nor_conv_1x1":
            return _relu_conv_bn(channels, channels, 1)
        case "nor_conv_3x3":
            return _relu_conv_bn(channels, channels, 3)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        case _:  # `none` is never run, a skip connection hands its input on
            return nn.Identity()


def _relu_conv_bn(channels: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outputs))
