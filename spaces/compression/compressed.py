"""Compressed candidates: an architecture, and what a decision does to its network, its operators and its layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyglove as pg

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

    def compressed_ops(self, ops: Sequence[Op]) -> Sequence[Op]:
        """Return the operators that an engine runs: the same unless layers change their shape."""
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

    def build(self) -> nn.Module:
        """Return the network; what is not kept of its weights is gone, or zero, whatever is trained."""
        network: nn.Module = self.choice.apply(self.architecture.build())
        return network

    def ops(self) -> Sequence[Op]:
        """Return the operators that an engine runs, which knows nothing of zeros and rounding."""
        ops: Sequence[Op] = self.choice.compressed_ops(self.architecture.ops())
        return ops

    def layer_costs(self) -> tuple[LayerCost, ...]:
        """Return what each layer holds and computes."""
        layers: tuple[LayerCost, ...] = self.choice.compressed_layers(layer_costs(self.architecture))
        return layers
