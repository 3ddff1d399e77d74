"""A start of supernets that is ours: the choices of a layer begin as parts of its largest, and say alike by a channel.

Drawn apart, the choices of a layer without a shortcut give features that have nothing in common, and whatever comes
after must learn to read each of them. A supernet that is trained a path at a time takes long over that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evaluators.supernet import Choices, Supernet


@torch.no_grad()
def start_alike(supernet: Supernet) -> None:
    """Set the weights of each layer's choices to parts of those of the largest that are called the same there.

    That is the leading channels, and the middle of kernels; around the middle that all choices have, kernels begin at
    0, so that those of 3x3 and of 5x5 compute the same at first. What the largest has not is left as it was drawn.
    """
    for layer in supernet.layers:
        if isinstance(layer, Choices):
            _start_alike([dict(choice.named_parameters()) for choice in layer.choices])


def _start_alike(choices: Sequence[dict[str, nn.Parameter]]) -> None:
    largest = max(choices, key=lambda weights: sum(weight.numel() for weight in weights.values()))
    for name, weight in largest.items():
        others = [weights[name] for weights in choices if name in weights and _within(weights[name], weight)]
        least = min((other.shape[2:] for other in others), key=math.prod)
        middle = _part(weight, (*weight.shape[:2], *least)).clone() * math.sqrt(
            math.prod(weight.shape[2:]) / math.prod(least)
        )
        if least != weight.shape[2:]:
            weight.zero_()
        _part(weight, middle.shape).copy_(middle)
        for other in others:
            other.copy_(_part(weight, other.shape).clone())


def _within(part: Tensor, whole: Tensor) -> bool:
    """Return whether a weight is no larger than another in any direction."""
    return part.ndim == whole.ndim and all(a <= b for a, b in zip(part.shape, whole.shape, strict=True))


def _part(weight: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a view of a weight's leading channels, and of the middle of its kernel."""
    for dimension, size in enumerate(shape):
        start = (weight.shape[dimension] - size) // 2 if dimension > 1 else 0
        weight = weight.narrow(dimension, start, size)
    return weight
