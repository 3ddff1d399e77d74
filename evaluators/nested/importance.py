"""Sorts the inner channels of inverted residuals by importance, so that narrower networks begin with those that matter.

Source: once-for-all (Cai et al., ICLR 2020, section 3.2): a channel's importance is the sum of the absolute weights
that the last 1x1 convolution has for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

PARTS = ("expand", "depthwise", "squeeze", "project")
"""What a block is made of whose inner channels are sorted: those of `spaces.networks.inverted_residual`."""


@torch.no_grad()
def sort_channels(largest: nn.Module, fronts: Sequence[nn.Module] = ()) -> None:
    """Sort each block's inner channels, the most important first; the network's outputs stay the same.

    `fronts` are networks within it whose channels stay in front of all others, so that their outputs stay the same too.
    """
    blocks = {name: block for name, block in largest.named_modules() if _has_inner_channels(block)}
    within = [dict(front.named_modules()) for front in fronts]
    for name, block in blocks.items():
        project: Any = block.project
        importance = project[0].weight.abs().sum((0, 2, 3))
        ends = {_channels(front[name]) for front in within if name in front} | {len(importance)}
        order, start = [], 0
        for end in sorted(ends):
            order.append(start + importance[start:end].argsort(descending=True, stable=True))
            start = end
        _permute(block, torch.cat(order))


def _permute(block: Any, order: Tensor) -> None:
    for part in (*block.expand, *block.depthwise):
        for tensor in part.parameters():
            tensor.copy_(tensor[order])
    block.project[0].weight.copy_(block.project[0].weight[:, order])
    if list(block.squeeze.parameters()):
        squeezed, gates = (part for part in block.squeeze.modules() if isinstance(part, nn.Conv2d))
        squeezed.weight.copy_(squeezed.weight[:, order])
        for tensor in gates.parameters():
            tensor.copy_(tensor[order])


def _has_inner_channels(block: Any) -> bool:
    return all(hasattr(block, part) for part in PARTS) and len(block.expand) > 0 and block.expand[0].groups == 1


def _channels(block: Any) -> int:
    return int(block.project[0].weight.shape[1])
