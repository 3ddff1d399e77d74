"""NASNet networks in PyTorch (Zoph et al. 2017, arXiv 1707.07012; TF-slim's `nasnet.py` where the paper is silent)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spaces._nasnet_cells import CellCode
from spaces.nasnet import NASNet, Place
from spaces.networks.cell_operations import (
    FactorizedReduction,
    conv_bn,
    factorized_conv,
    pool,
    relu_conv_bn,
    separable_conv,
)
from spaces.networks.scheduled_drop_path import ScheduledDropPath, set_progress

NORM_EPS = {"cifar": 1e-5, "imagenet": 1e-3}
"""What each norm adds to a variance."""


class Network(nn.Module):
    """A stem, cells that each read the two outputs before them, and a head: images to logits."""

    def __init__(self, candidate: NASNet) -> None:
        super().__init__()
        large = candidate.stem == "imagenet"
        self.stem = conv_bn(
            candidate.image_channels, candidate.stem_filters, 3, 2 if large else 1, padding=0 if large else 1
        )
        places, codes = list(candidate.places()), (candidate.normal.code, candidate.reduction.code)
        self.back = [place.back for place in places]
        widths, cells, levels = [candidate.stem_filters], [], [0]
        for number, place in enumerate(places):
            previous = None if place.back == 1 else (widths[-place.back], levels[-place.back] != levels[-1])
            paths = ScheduledDropPath(number, len(places), candidate.drop_path_keep)
            code = codes[place.reduction]
            cells.append(Cell(code, place, widths[-1], previous, paths))
            widths.append(place.filters * sum(code.widths[state] for state in code.concat))
            levels.append(levels[-1] + place.reduction)
        self.cells = nn.ModuleList(cells)
        self.dropout = nn.Dropout(candidate.dropout)
        self.classifier = nn.Linear(widths[-1], candidate.classes)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = NORM_EPS[candidate.stem]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, classes), of images (n, channels, height, width)."""
        outputs = [self.stem(images)]
        for cell, back in zip(self.cells, self.back, strict=True):
            outputs = [*outputs[-2:], cell(outputs[-1], outputs[-back])]  # none is read from further back
        logits: Tensor = self.classifier(self.dropout(outputs[-1].relu().mean((2, 3))))
        return logits

    def at_progress(self, share: float) -> None:
        """Tell ScheduledDropPath the share of training that is done."""
        set_progress(self, share)


class Cell(nn.Module):
    """Five blocks on two inputs; the output is the concatenation of the states that the code names."""

    def __init__(
        self, code: CellCode, place: Place, width: int, previous: tuple[int, bool] | None, paths: ScheduledDropPath
    ) -> None:
        """Make the cell of an input's `width`; of the output before, its width and whether it is twice as high."""
        super().__init__()
        filters = place.filters
        self.current = relu_conv_bn(width, filters)
        widths = [filters, width if previous is None else filters, *(filters * times for times in code.widths[2:])]
        self.previous = nn.Identity() if previous is None else _as_wide(*previous, filters, relu=True)
        self.blocks = nn.ModuleList()
        for inputs, names, combine in code.blocks:
            operations = [
                _operation(name, widths[state], filters, 2 if place.reduction and state < 2 else 1)
                for state, name in zip(inputs, names, strict=True)
            ]
            dropped = [
                operation if name == "identity" else nn.Sequential(operation, paths)
                for operation, name in zip(operations, names, strict=True)
            ]
            self.blocks.append(Block(inputs, dropped, combine))
        self.concat = code.concat
        unread = [state for state in code.concat if state < 2]
        self.matched = nn.ModuleDict(
            {str(state): _as_wide(widths[state], place.reduction, filters, relu=False) for state in unread}
        )

    def forward(self, current: Tensor, previous: Tensor) -> Tensor:
        """Return the features that the cell makes of its input and of the output before that, which may be the same."""
        states = [self.current(current), self.previous(previous)]
        for block in self.blocks:
            states.append(block(states))
        for state, match in self.matched.items():
            states[int(state)] = match(states[int(state)])
        return torch.cat([states[state] for state in self.concat], 1)


class Block(nn.Module):
    """Two operations on two states, combined."""

    def __init__(self, inputs: tuple[int, int], operations: list[nn.Module], combine: str) -> None:
        super().__init__()
        self.inputs, self.joined = inputs, combine == "concat"
        self.operations = nn.ModuleList(operations)

    def forward(self, states: list[Tensor]) -> Tensor:
        """Return the next state."""
        first, second = (
            operation(states[state]) for operation, state in zip(self.operations, self.inputs, strict=True)
        )
        return torch.cat([first, second], 1) if self.joined else first + second


def _as_wide(width: int, larger: bool, filters: int, *, relu: bool) -> nn.Module:
    if larger:
        return FactorizedReduction(width, filters, relu=relu)
    if width == filters:
        return nn.Identity()
    return relu_conv_bn(width, filters) if relu else conv_bn(width, filters)


def _operation(name: str, width: int, filters: int, stride: int) -> nn.Module:
    kind, _, kernels = name.rpartition("_")
    match kind:
        case "avg_pool" | "max_pool":
            pooling = pool(kind[:3], int(kernels[0]), stride)
            return pooling if width == filters else nn.Sequential(pooling, conv_bn(width, filters))
        case "sep_conv":
            return separable_conv(width, filters, int(kernels[0]), stride)
        case "dil_conv":
            return relu_conv_bn(width, filters, int(kernels[0]), stride, dilation=2)
        case "conv":
            return relu_conv_bn(width, filters, int(kernels[0]), stride)
        case "conv_1x3" | "conv_1x7":
            return factorized_conv(width, filters, int(kernels[0]), stride)
    return nn.Identity() if stride == 1 and width == filters else relu_conv_bn(width, filters, 1, stride)
