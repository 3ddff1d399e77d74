"""DARTS networks in PyTorch (Liu et al. 2018, arXiv 1806.09055, appendix, and the authors' code)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spaces.darts import DARTS, NodeCode, Operation, Place
from spaces.networks.cell_operations import (
    FactorizedReduction,
    conv_bn,
    dilated_conv,
    pool,
    relu_conv_bn,
    separable_conv,
)


class Network(nn.Module):
    """A stem, cells that each read the two outputs before them, and a head: images to logits."""

    def __init__(self, candidate: DARTS) -> None:
        super().__init__()
        image, filters = candidate.image_channels, candidate.filters
        if candidate.stem == "imagenet":
            self.stem = nn.Sequential(
                *conv_bn(image, filters // 2, 3, 2), nn.ReLU(), *conv_bn(filters // 2, filters, 3, 2)
            )
            self.second: nn.Module = relu_conv_bn(filters, filters, 3, 2)
            before = last = filters
        else:
            self.stem, self.second = conv_bn(image, 3 * filters, 3), nn.Identity()
            before = last = 3 * filters
        codes, cells = (candidate.normal.code, candidate.reduction.code), []
        for place in candidate.places():
            cell = Cell(codes[place.reduction], place, before, last)
            cells.append(cell)
            before, last = last, len(cell.nodes) * place.filters
        self.cells = nn.ModuleList(cells)
        self.classifier = nn.Linear(last, candidate.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, classes), of images (n, channels, height, width)."""
        before = self.stem(images)
        last = self.second(before)
        for cell in self.cells:
            before, last = last, cell(before, last)
        logits: Tensor = self.classifier(last.mean((2, 3)))
        return logits


class Cell(nn.Module):
    """Nodes that each add up two edges; the output is the concatenation of all nodes."""

    def __init__(self, code: tuple[NodeCode, ...], place: Place, before: int, last: int) -> None:
        """Make the cell of the widths of the output before the last and of the last."""
        super().__init__()
        matched = FactorizedReduction if place.after_reduction else relu_conv_bn
        self.before = matched(before, place.filters)
        self.last = relu_conv_bn(last, place.filters)
        self.nodes = nn.ModuleList(Node(edges, place) for edges in code)

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        """Return the features that the cell makes of the output before the last and of the last."""
        states = [self.before(before), self.last(last)]
        for node in self.nodes:
            states.append(node(states))
        return torch.cat(states[2:], 1)


class Node(nn.Module):
    """The sum of two edges."""

    def __init__(self, edges: NodeCode, place: Place) -> None:
        super().__init__()
        self.sources = [source for source, _ in edges]
        self.edges = nn.ModuleList(
            _edge(operation, place.filters, 2 if place.reduction and source < 2 else 1) for source, operation in edges
        )

    def forward(self, states: list[Tensor]) -> Tensor:
        """Return the next state."""
        first, second = (edge(states[source]) for edge, source in zip(self.edges, self.sources, strict=True))
        outputs: Tensor = first + second
        return outputs


def _edge(operation: Operation, filters: int, stride: int) -> nn.Module:
    match operation:
        case "max_pool_3x3" | "avg_pool_3x3":
            return pool(operation[:3], 3, stride)
        case "sep_conv_3x3" | "sep_conv_5x5":
            return separable_conv(filters, filters, int(operation[-1]), stride)
        case "dil_conv_3x3" | "dil_conv_5x5":
            return dilated_conv(filters, filters, int(operation[-1]), stride)
        case "skip_connect":
            return FactorizedReduction(filters, filters) if stride == 2 else nn.Identity()
