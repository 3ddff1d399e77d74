"""All weights that a prunable unit has, in every layer and norm: what is scored, faded and zeroed together.

They are the groups of OTO (Chen et al., 2021 to 2024): what can be set to zero and cut off without a change of the
output. Here they come from the channels that `spaces.pruning` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from evaluators.pruning.masks import Group, Layer, Places


class Channels(Protocol):
    """A network's groups of channels, and which of them each layer and norm has, by its path."""

    groups: tuple[Group, ...]
    layers: dict[str, Layer]
    norms: dict[str, np.ndarray]


Value = Callable[[Tensor, Tensor], Tensor]
"""Weights and their gradients to a number for each."""


class Units:
    """The units of a model, in one row.

    Attributes:
      sizes: how many each group has.
      count: of all.
    """

    def __init__(self, model: nn.Module, channels: Channels) -> None:
        """Take a model of the network that the channels are of. Its weights are looked up anew each time."""
        self._places = Places(channels.groups)
        self.sizes, self.count = self._places.sizes, self._places.units
        made = [(path, layer.outputs) for path, layer in channels.layers.items()]
        self._norms = [(model.get_submodule(path), self._places.of(atoms)) for path, atoms in channels.norms.items()]
        self._layers = [(model.get_submodule(path), self._places.of(atoms)) for path, atoms in made]
        self._tied = self._layers + self._norms

    @property
    def groups(self) -> Tensor:
        """The number of each unit's group, (count,)."""
        return self._places.groups

    def sums(self, value: Value) -> Tensor:
        """Return the sum of `value` over the weights of each unit, (count,); gradients that are not there are 0."""
        found = torch.zeros(self.count + 1)
        for parameter, places in self._parameters(self._tied):
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            found.index_add_(0, places, value(parameter.detach(), gradient).reshape(len(places), -1).sum(1))
        return found[:-1]

    def filter_norms(self) -> Tensor:
        """Return the L2 norm of each unit's filters, in all layers that make it, (count,)."""
        squares = torch.zeros(self.count + 1)
        for layer, places in self._layers:
            weight: Any = layer.weight
            squares.index_add_(0, places, weight.detach().flatten(1).square().sum(1))
        return squares[:-1].sqrt()

    def scales(self) -> Tensor:
        """Return the mean absolute scale of each unit's norms, (count,); infinity for a unit without a norm."""
        found, number = torch.zeros(self.count + 1), torch.zeros(self.count + 1)
        for norm, places in self._norms:
            weight: Any = norm.weight
            found.index_add_(0, places, weight.detach().abs())
            number.index_add_(0, places, torch.ones(len(places)))
        return torch.where(number > 0, found / number.clamp(min=1), torch.inf)[:-1]

    def pull_scales(self, strength: Tensor) -> None:
        """Add strength (count,) x the sign of a norm's scale to its gradient: an L1 penalty."""
        padded = torch.cat([strength, strength.new_zeros(1)])
        for norm, places in self._norms:
            weight: Any = norm.weight
            weight.grad += padded[places] * weight.detach().sign()

    @torch.no_grad()
    def multiply(self, factors: Tensor) -> None:
        """Multiply all weights of each unit by its factor, (count,)."""
        padded = torch.cat([factors, factors.new_ones(1)])
        for parameter, places in self._parameters(self._tied):
            parameter.mul_(padded[places].view(-1, *[1] * (parameter.ndim - 1)))

    def kept(self, redundant: Tensor) -> tuple[int, ...]:
        """Return how many units of each group are not among the redundant ones, (count,) bool; at least one."""
        parts = torch.split(~redundant, self.sizes)
        return tuple(max(1, int(part.sum())) for part in parts)

    @staticmethod
    def _parameters(tied: list[tuple[Any, Tensor]]) -> list[tuple[Any, Tensor]]:
        named = [(getattr(module, name), places) for module, places in tied for name in ("weight", "bias")]
        return [(parameter, places) for parameter, places in named if parameter is not None]
