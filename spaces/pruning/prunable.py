"""A network that is made by a function and can be pruned: what a space of pruning rates is about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pyglove as pg
from torch import nn

from hardware_models.graph import Graph
from hardware_models.op import Op
from spaces.pruning.budget import Budget
from spaces.pruning.channels import Channels, Group, channels
from spaces.pruning.importance import largest, magnitudes
from spaces.pruning.interpolated import InterpolatedCosts, grid
from spaces.pruning.operators import Operators
from spaces.pruning.products import Products, products
from spaces.pruning.shrink import shrink
from spaces.pruning.split_attention import split

if TYPE_CHECKING:
    from hardware_models._base import AdditiveModel


class Prunable(pg.JSONConvertible):  # type: ignore[misc]
    """A function that makes a model, and what is known of the model's channels. It does not change.

    A space holds the function, never the weights: every process makes its own model, and `space_identity` tells whether
    that has the same architecture.

    Attributes:
      make: returns the model.
      input_shape: of one input, without the batch axis.
      channels: the channels of what it makes.
      space_identity: a SHA-256 in hex of the function's name, the traced forward, its layers and the input's shape.
    """

    def __init__(self, make: Callable[[], nn.Module], input_shape: Sequence[int]) -> None:
        """Make one model and look at it.

        Raises:
          TypeError: for what makes no module.
          ValueError: for an input_shape that is none, and as `channels` does.
        """
        self.make, self.input_shape = make, tuple(input_shape)
        if not all(isinstance(side, Integral) and side > 0 for side in self.input_shape):
            raise ValueError(
                f"input_shape must be whole numbers above 0, of one input without its batch, such as (3, 32, 32); "
                f"got {input_shape!r}"
            )
        if isinstance(make, nn.Module):
            raise TypeError(
                f"expected a function that makes a torch module, got a {type(make).__name__} itself: "
                "every process makes its own"
            )
        model = make()
        if not isinstance(model, nn.Module):
            raise TypeError(
                f"{make!r} returned a {type(model).__name__}; expected a function that makes a torch module"
            )
        self.channels: Channels = channels(model, self.input_shape)
        self.space_identity = _identity(make, self.channels, model)

    def __deepcopy__(self, memo: object) -> Prunable:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Prunable, (self.make, self.input_shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prunable) and self.space_identity == other.space_identity

    def __hash__(self) -> int:
        return hash(self.space_identity)

    def to_json(self, **options: Any) -> Any:
        """Return what it is as plain data, to be read by people: it cannot be made from that."""
        widths = {group.name: group.width for group in self.groups}
        named = {"make": self._name, "input_shape": list(self.input_shape), "groups": widths}
        return self.to_json_dict({**named, "space_identity": self.space_identity}, **options)

    @property
    def _name(self) -> str:
        return str(getattr(self.make, "__qualname__", type(self.make).__qualname__))

    def __repr__(self) -> str:
        return f"Prunable({self._name}, {self.input_shape})"

    @property
    def groups(self) -> tuple[Group, ...]:
        """What is pruned at rates of its own, in the order of the network."""
        return self.channels.groups

    @cached_property
    def operators(self) -> Operators:
        """The operators of all pruned networks. Raises ValueError for a network with one that cannot be costed."""
        return Operators(self.channels)

    def graph(self, widths: Sequence[int]) -> Graph:
        """Return the operators of the network whose groups keep so many units. ValueError as `operators`."""
        return self.operators.graph(widths)

    @cached_property
    def products(self) -> Products:
        """The multiply-accumulates of all pruned networks. ValueError as `operators`."""
        return products(self.operators, tuple(group.width for group in self.groups))

    def within_macs(self, share: float, rates: np.ndarray, least: float = 0.0) -> tuple[int, ...]:
        """Return the widths nearest to a share of the whole network's multiply-accumulates, found from these rates.

        Args:
          share: of what the whole network needs, above 0 and at most 1.
          rates: one for each group, (groups,); all equal for a uniform pruning.
          least: the share of each group that stays at least, and one unit does.

        Raises:
          ValueError: where the share is out of bounds or out of reach.
        """
        return self.within(self.products, share, rates, least)

    def within(
        self,
        cost: Callable[[np.ndarray], np.ndarray],
        share: float,
        rates: np.ndarray,
        least: float = 0.0,
        multiple: int = 1,
    ) -> tuple[int, ...]:
        """Return the same for a share of another cost of widths, (n, groups), that does not fall as they rise.

        Widths are multiples of `multiple`, but for groups that stay whole.
        """
        if not 0 < share <= 1:
            raise ValueError(f"the share of the cost must be above 0 and at most 1, got {share}")
        full = np.array([group.width for group in self.groups])
        floors = np.maximum(1, np.ceil(full * least))
        amount = share * float(cost(full[None].astype(float))[0])
        return Budget(cost, amount, full, floors, multiple).widths(np.asarray(rates, float))

    @property
    def grid(self) -> tuple[Op, ...]:
        """The operators that a hardware model must know for `costs`: what to profile. ValueError as `operators`."""
        return grid(self.operators, [group.width for group in self.groups])

    def costs(self, model: AdditiveModel) -> InterpolatedCosts:
        """Return an additive hardware model's first metric of all pruned networks, interpolated between widths.

        Raises:
          MissingEntry: for an operator of `grid` that the model does not know.
        """
        return InterpolatedCosts(self.operators, [group.width for group in self.groups], model)

    def largest(self, model: nn.Module, widths: Sequence[int]) -> np.ndarray:
        """Return the units of all groups that have the largest filters, so many of each group."""
        scores = zip(self.groups, magnitudes(model, self.channels), widths, strict=True)
        return np.concatenate([group.atoms[largest(score, width)] for group, score, width in scores])

    def model(self, weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return a new whole model, its attention in parts that can be pruned; weights may be as `make` has them."""
        model = split(self.make(), self.channels.split)
        if weights is not None:
            model.load_state_dict(weights)
        return model

    def build(self, widths: Sequence[int], weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return a new model whose groups keep so many units, those with the largest filters.

        Args:
          widths: one for each group, at least 1.
          weights: the whole model's, as for `load_state_dict`; by default those that it is made with.
        """
        model = self.model(weights)
        return self.shrink(model, self.largest(model, widths))

    def shrink(self, model: nn.Module, atoms: np.ndarray) -> nn.Module:
        """Return what is left of `model` when of all groups only `atoms` stay; see `spaces.pruning.shrink`."""
        checked = not any(parameter.is_meta for parameter in model.parameters())
        return shrink(model, self.channels, atoms, check=checked)


def _identity(make: Callable[[], nn.Module], found: Channels, model: nn.Module) -> str:
    layers = [f"{path}={module!r}" for path, module in model.named_modules() if not list(module.children())]
    name = getattr(make, "__qualname__", type(make).__qualname__)
    shapes = [str(sorted(found.shapes.items())), *(f"{group.name}={group.width}" for group in found.groups)]
    return hashlib.sha256("\n".join([name, str(found.traced.code), *layers, *shapes]).encode()).hexdigest()
