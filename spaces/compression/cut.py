"""Transformers of which units are cut: which ones a score says, once for each architecture, so that costs are exact."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.counts import count
from hardware_models.layer_costs import LayerCost, weighted
from hardware_models.op import Op
from spaces.compression.compressed import Compressed, Compression

if TYPE_CHECKING:
    from torch import nn

    from spaces.compression.vit_cut import Units

REMEMBERED = 4096
"""Decisions that are kept; one takes from a second to minutes."""

SEED = 0
"""Of the weights on which a decision is made where an architecture draws them."""


class Cut(Compression):
    """A decision which units of a vision transformer stay, by scores of its weights on some images."""

    def applied_to(self, architecture: Any) -> CutNetwork:
        """Return the smaller candidate.

        Raises:
          ValueError: for an architecture whose weights are compressed already.
        """
        if hasattr(architecture, "layer_costs"):
            raise ValueError("units are cut before weights are compressed: let the cut stand before that in the space")
        return CutNetwork(architecture, self.clone())

    @abstractmethod
    def units(self, model: nn.Module) -> Units:
        """Return which units of `model` stay, which is left as it is. ValueError for one that cannot be cut."""

    def apply(self, model: nn.Module) -> nn.Module:
        """Return the smaller transformer, of the units that its own weights choose. Raises ValueError as `units`."""
        from spaces.compression.vit_cut import cut

        chosen = self.units(model)
        return cut(model, chosen.blocks, chosen.embedding)


class CutNetwork(Compressed):
    """A cut transformer. What stays is decided once, on the weights that its architecture has with a fixed seed.

    So its costs are exact and known before it is built, and all of its builds have the same shape. Where the
    architecture reads trained weights, these decide.
    """

    def build(self) -> nn.Module:
        """Return the network."""
        from spaces.compression.vit_cut import cut

        chosen = _decided(_Decision(self.architecture, self.choice)).units
        return cut(self.architecture.build(), chosen.blocks, chosen.embedding)

    def ops(self) -> Sequence[Op]:
        """Return the operators that the built network runs, as a graph. Raises ValueError where it cannot be costed."""
        ops: Sequence[Op] = _decided(_Decision(self.architecture, self.choice)).ops
        return ops

    def layer_costs(self) -> tuple[LayerCost, ...]:
        """Return what each layer holds and computes: all of its weights."""
        return tuple(LayerCost(op, count(op).weights, count(op).macs) for op in weighted(self.ops()))


class _Decision:
    """An architecture and a choice by what they are: symbolic values may be changed after they were looked at."""

    def __init__(self, architecture: Any, choice: Any) -> None:
        self.architecture, self.choice = architecture, choice
        self._text = pg.to_json_str(architecture) + pg.to_json_str(choice)
        self.units: Any = None
        self.ops: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Decision) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=REMEMBERED)
def _decided(decision: _Decision) -> _Decision:
    import torch

    from spaces.compression.vit_cut import cut
    from spaces.pruning.channels import channels
    from spaces.pruning.operators import Operators

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = decision.architecture.build()
        decision.units = decision.choice.units(model)
        smaller = cut(model, decision.units.blocks, decision.units.embedding)
    found = channels(smaller, tuple(decision.architecture.input_shape))
    decision.ops = Operators(found).graph([group.width for group in found.groups])
    return decision
