"""A layer as two that follow each other: its weight's best approximation of a rank (Eckart and Young, 1936)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


@torch.no_grad()
def factorised(module: Any, rank: int) -> nn.Sequential:
    """Return a layer of `rank` outputs and one behind it that makes the module's outputs of them.

    The singular values' roots are given to both. At full rank both together compute what the module does.
    """
    weight = module.weight
    left, values, right = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    roots = values[:rank].sqrt()
    first_weight, second_weight = roots[:, None] * right[:rank], left[:, :rank] * roots
    first: Any
    second: Any
    if isinstance(module, nn.Conv2d):
        settings: dict[str, Any] = {"stride": module.stride, "padding": module.padding, "dilation": module.dilation}
        first = nn.Conv2d(module.in_channels, rank, module.kernel_size, bias=False, **settings)  # type: ignore[arg-type]
        second = nn.Conv2d(rank, module.out_channels, 1, bias=module.bias is not None)
    else:
        first = nn.Linear(module.in_features, rank, bias=False)
        second = nn.Linear(rank, module.out_features, bias=module.bias is not None)
    first.weight.copy_(first_weight.view_as(first.weight))
    second.weight.copy_(second_weight.view_as(second.weight))
    if module.bias is not None:
        second.bias.copy_(module.bias)
    return nn.Sequential(first, second).to(weight.device, weight.dtype)
