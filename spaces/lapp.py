"""Pruning rates of any convolutional network or transformer, one for each group of channels that go together.

The decisions are those of LAPP (Zhai et al., 2023, arXiv 2309.14157): how much of each layer is pruned. There they are
learned by gradient while the network trains, see `evaluators.lapp`; as a space any algorithm can search them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.op import Op, Shape

if TYPE_CHECKING:
    from torch import nn

    from spaces.pruning.prunable import Prunable

RATES = (0.0, 0.25, 0.5, 0.75)


class Pruned(pg.Object):  # type: ignore[misc]
    """One pruned network.

    Attributes:
      network: the `spaces.pruning.prunable.Prunable` that it is a part of.
      rates: the share of each group that is removed, from 0 to 1, by the group's name.
      multiple: kept channels are a multiple of this, where the group has as many.
    """

    network: Any
    rates: dict[str, float]
    multiple: int = 1

    @property
    def input_shape(self) -> Shape:
        """The shape of one input."""
        shape: Shape = self.network.input_shape
        return shape

    @property
    def widths(self) -> tuple[int, ...]:
        """How many units of each group stay."""
        return tuple(kept(group.width, self.rates[group.name], self.multiple) for group in self.network.groups)

    @property
    def whole(self) -> Pruned:
        """The network that it was made from, as one of which nothing is removed."""
        return Pruned(self.network, dict.fromkeys(self.rates, 0.0), self.multiple)

    def build(self, weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return the network: a new one of the whole model's class, or traced where its forward names widths.

        Of each group the units with the largest filters stay. Each is checked, on random inputs, to compute what the
        whole model does with the others at zero.

        Args:
          weights: of the whole model, for its `load_state_dict`; by default what the model is made with.
        """
        network: nn.Module = self.network.build(self.widths, weights)
        return network

    def ops(self) -> Sequence[Op]:
        """Return the operators that the built network runs, as a graph.

        Raises:
          ValueError: for a network with an operator of no kind of `hardware_models.kinds`.
        """
        ops: Sequence[Op] = self.network.graph(self.widths)
        return ops


def lapp(
    make: Callable[[], nn.Module],
    input_shape: Sequence[int],
    rates: Sequence[float] | Any = RATES,
    *,
    multiple: int = 1,
) -> Any:
    """Return the space: a rate for each channel group of a model, the groups being found from the model itself.

    Args:
      make: a function without arguments, or a class, that makes the model, e.g. with weights that it reads from a file.
        Its forward must be one that `torch.fx` can trace. A space remembers the function and what the model looks like,
        never its weights.
      input_shape: of one input, without the batch axis: (3, 32, 32).
      rates: which rates each group may have, or a `pg.floatv(...)` for any in between.
      multiple: kept channels are rounded to a multiple of this.

    Raises:
      ValueError: for rates outside of [0, 1), a multiple below 1, and a model that cannot be traced or pruned.
      TypeError: where `make` does not make a module.
    """
    from spaces.pruning.prunable import Prunable

    if multiple < 1:
        raise ValueError(f"multiple must be at least 1, got {multiple}")
    network = Prunable(make, input_shape)
    return Pruned(network, {group.name: open_rates(rates) for group in network.groups}, multiple)


def whole(make: Callable[[], nn.Module], input_shape: Sequence[int]) -> Pruned:
    """Return a model of yours with nothing removed, as the `architecture` of a joint space; see `lapp`."""
    from spaces.pruning.prunable import Prunable

    network = Prunable(make, input_shape)
    return pruned(network, [group.width for group in network.groups])


def pruned(network: Prunable, widths: Sequence[int], multiple: int = 1) -> Pruned:
    """Return the network whose groups keep so many units, with the rates that give them."""
    rates = {group.name: 1 - width / group.width for group, width in zip(network.groups, widths, strict=True)}
    return Pruned(network, rates, multiple)


def kept(width: int, rate: float, multiple: int = 1) -> int:
    """Return how many of `width` units a rate leaves: the nearest multiple, halves up, at least one and at most all."""
    nearest = int(width * (1 - rate) / multiple + 0.5 + 1e-9) * multiple
    return min(width, max(nearest, multiple))


def open_rates(rates: Any) -> Any:
    """Return the choice of one of these rates, or an open float. Raises ValueError for rates outside of [0, 1)."""
    if isinstance(rates, pg.hyper.Float):
        low, high = rates.min_value, rates.max_value
        if not 0 <= low <= high < 1:
            raise ValueError(f"rates must be from 0 up to below 1, got {low} to {high}")
        return pg.floatv(low, high, scale=rates.scale)
    listed = [float(rate) for rate in rates]
    if not listed or not all(0 <= rate < 1 for rate in listed):
        raise ValueError(f"rates must be some numbers from 0 up to below 1, got {rates}")
    return pg.oneof(listed)
