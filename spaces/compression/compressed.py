"""Compressed candidates: an architecture, and what a decision does to its network, its operators and its layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.architecture import KeyOperators
from hardware_models.layer_costs import LayerCost, layer_costs
from hardware_models.op import Op, Shape

if TYPE_CHECKING:
    from torch import nn


class Compression(pg.Object):  # type: ignore[misc]
    """A decision: as a member of a joint space beside an `architecture` it is applied to that, see `pruning_rates`.

    Subclasses say what changes; what they leave out stays. They are applied in the order in which a space has them:
    channels are pruned first, layers factorised next, weights thinned out and rounded last.
    """

    def applied_to(self, architecture: Any) -> Compressed:
        """Return the compressed candidate."""
        return Compressed(architecture, self.clone())

    @abstractmethod
    def apply(self, model: nn.Module) -> nn.Module:
        """Return `model`, which may be changed, compressed: it can be trained further, and keeps what was decided."""

    def compressed_ops(self, ops: Sequence[Op], *, ending: bool = True) -> Sequence[Op]:
        """Return the operators that an engine runs: the same unless layers change their shape.

        Args:
          ops: of the network, or some of them.
          ending: whether the network's last layer is among them.
        """
        del ending
        return ops

    def compressed_layers(self, layers: Sequence[LayerCost]) -> tuple[LayerCost, ...]:
        """Return what the layers hold and compute then."""
        return tuple(layers)


class Compressed(pg.Object):  # type: ignore[misc]
    """One compressed network.

    Attributes:
      architecture: a candidate with `build()`, `ops()` and `input_shape`.
      choice: the `Compression`.
    """

    architecture: Any
    choice: Any

    @property
    def input_shape(self) -> Shape:
        """The shape of one input."""
        shape: Shape = tuple(self.architecture.input_shape)
        return shape

    @property
    def whole(self) -> Any:
        """What it was made from, all that was done before undone too."""
        return getattr(self.architecture, "whole", self.architecture)

    def build(self, weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return the network; what is not kept of its weights is gone, or zero, whatever is trained.

        Args:
          weights: of the whole network, where the architecture's `build` takes some.
        """
        network: nn.Module = self.choice.apply(self.built(weights))
        return network

    def built(self, weights: Mapping[str, Any] | None) -> nn.Module:
        """Return the architecture's network, with these weights or its own."""
        network: nn.Module = self.architecture.build() if weights is None else self.architecture.build(weights)
        return network

    def ops(self) -> Sequence[Op]:
        """Return the operators that an engine runs, which knows nothing of zeros and rounding."""
        ops: Sequence[Op] = self.choice.compressed_ops(self.architecture.ops())
        return ops

    @property
    def key_operators(self) -> KeyOperators | None:
        """What gives the operators of a key where the architecture has keys; see `hardware_models.architecture`."""
        inner: KeyOperators | None = getattr(self.architecture, "key_operators", None)
        unchanged = type(self.choice).compressed_ops is Compression.compressed_ops
        return inner if inner is None or unchanged else ChangedOperators(inner, self.choice)

    def layer_costs(self) -> tuple[LayerCost, ...]:
        """Return what each layer holds and computes."""
        layers: tuple[LayerCost, ...] = self.choice.compressed_layers(layer_costs(self.architecture))
        return layers


@dataclass(frozen=True, slots=True)
class ChangedOperators:
    """The operators of keys, as a choice changes them.

    Attributes:
      inner: what gives them unchanged.
      choice: the `Compression`.
    """

    inner: KeyOperators
    choice: Any

    def __call__(self, key: int) -> Sequence[Op]:
        """Return the operators of one key."""
        ops: Sequence[Op] = self.choice.compressed_ops(self.inner(key), ending=self.inner.ends(key))
        return ops

    def ends(self, key: int) -> bool:
        """Return whether the network's last layer is among a key's operators."""
        return self.inner.ends(key)
