"""Adaptive gradient clipping: a gradient may be as long as a share of the weights that it moves.

Source: Brock et al., ICML 2021 (arXiv 2102.06171, equation 3). They spare the last layer; ElasticViT's released code
(Tang et al., ICCV 2023) spares nothing and takes a share of 0.1.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

LEAST = 1e-3
"""What a unit's weights are at least counted as, so that those that begin at 0 can leave it; the paper's."""


@torch.no_grad()
def clip_gradients(parameters: Iterable[nn.Parameter], share: float) -> None:
    """Shorten, in place, each unit's gradient to `share` times the length of its weights, where it is longer.

    A unit is what stands under one index of the first axis: the weights of one output. A vector is one unit.
    """
    for parameter in parameters:
        if parameter.grad is not None:
            most = share * _lengths(parameter).clamp_min(LEAST)
            parameter.grad.mul_((most / _lengths(parameter.grad).clamp_min(1e-12)).clamp_max(1))


def _lengths(tensor: Tensor) -> Tensor:
    """Return each unit's Euclidean length, in a shape that broadcasts to the tensor's."""
    axes = tuple(range(1, tensor.ndim)) or None
    lengths: Tensor = torch.linalg.vector_norm(tensor, dim=axes, keepdim=True)
    return lengths
