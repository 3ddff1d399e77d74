"""The layers of a model that are compressed, and weights that are computed anew at each use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


def layers_of(model: nn.Module) -> dict[str, Any]:
    """Return the convolutions and linear layers of a model by their paths."""
    return {path: module for path, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}


class Computed(nn.Module):
    """A weight that is a function of another one, which gets its gradient as if there were none between."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, weight: Tensor) -> Tensor:
        """Return the function's value."""
        return weight + (self._function(weight) - weight).detach()


def compute_weights(module: nn.Module, by: nn.Module) -> None:
    """Let a layer use what `by` makes of its weight."""
    parametrize.register_parametrization(module, "weight", by, unsafe=True)


def change_inputs(module: nn.Module, by: Callable[[Tensor], Tensor]) -> None:
    """Let a layer read what `by` makes of its input."""
    module.register_forward_pre_hook(lambda _, inputs: (by(inputs[0]), *inputs[1:]))


def straight_through(value: Tensor, by: Tensor) -> Tensor:
    """Return `by` with the gradient of `value`."""
    return value + (by - value).detach()


def rows(weight: Tensor) -> Tensor:
    """Return a weight as (output channels, all else)."""
    return torch.flatten(weight, 1)
