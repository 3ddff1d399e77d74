"""Signs in place of numbers, and their gradients: what `spaces.compression.binary` puts into layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SignWeight(nn.Module):
    """A weight's signs, scaled; its gradient is that of the weight where this is from -1 to 1."""

    def __init__(self, binariser: str) -> None:
        super().__init__()
        self._binariser = binariser

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight that the layer uses."""
        signs = clipped(weight) + (sign(weight) - clipped(weight)).detach()
        if self._binariser == "bnn":
            return signs
        sizes = weight.detach().abs()
        scale = sizes.mean() if self._binariser == "dorefa" else sizes.flatten(1).mean(1)
        return signs * scale.view(-1, *[1] * (weight.ndim - 1))


def sign_inputs(inputs: Tensor, binariser: str) -> Tensor:
    """Return inputs' signs, of `xnor` times the mean size of each image's numbers."""
    smooth = _quadratic(inputs) if binariser == "bireal" else clipped(inputs)
    signs = smooth + (sign(inputs) - smooth).detach()
    if binariser != "xnor":
        return signs
    return signs * inputs.detach().abs().flatten(1).mean(1).view(-1, *[1] * (inputs.ndim - 1))


def centred(inputs: Tensor) -> Tensor:
    """Return inputs less the mean of each image's numbers."""
    return inputs - inputs.flatten(1).mean(1).view(-1, *[1] * (inputs.ndim - 1))


def sign(numbers: Tensor) -> Tensor:
    """Return 1 for what is at least 0, and -1 for the rest."""
    return torch.where(numbers >= 0, 1.0, -1.0)


def clipped(numbers: Tensor) -> Tensor:
    """Return numbers, from -1 to 1: the gradient is 1 there and 0 outside."""
    return numbers.clamp(-1, 1)


def _quadratic(numbers: Tensor) -> Tensor:
    """Return what has the gradient 2 + 2x from -1 to 0 and 2 - 2x from 0 to 1."""
    inside = clipped(numbers)
    return inside * (2 - inside.abs())
