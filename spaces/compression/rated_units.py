"""Heads and neurons of a transformer by a rate: what `spaces.pruning_rates` removes where tokens are removed too."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spaces.compression.cut import Cut
from spaces.lapp import kept

if TYPE_CHECKING:
    from torch import nn

    from spaces.compression.vit_cut import Units

PLACE = re.compile(r"blocks\.(\d+)\.(attn|mlp)\.")
"""The name of a group: the block, and whether it is of heads or of neurons."""


class RatedUnits(Cut):
    """The heads and neurons of each block that have the largest filters, as many as `spaces.lapp` keeps at this rate.

    Attributes:
      rate: the share that is removed, from 0 to 1.
      multiple: what is kept is a multiple of this, where a block has as many.
    """

    rate: float
    multiple: int = 1

    def units(self, model: nn.Module, scores: Any = None) -> Units:
        """Return which units of `model` stay. Raises ValueError for a model that cannot be cut, or not be traced."""
        from spaces.compression.vit_cut import Units, whole_units
        from spaces.networks.vit_parts import layout_of
        from spaces.pruning.importance import largest, magnitudes
        from spaces.pruning.prunable import Prunable

        del scores
        blocks, layout = whole_units(model), layout_of(model)
        network = Prunable(lambda: copy.deepcopy(model), (layout.channels, layout.side, layout.side))
        for group, filters in zip(network.groups, magnitudes(network.model(), network.channels), strict=True):
            place = PLACE.match(group.name)
            if place is None:
                raise ValueError(f"{group.name} of {type(model).__name__} is neither heads nor neurons of a block")
            block, part = int(place[1]), {"attn": "heads", "mlp": "mlp"}[place[2]]
            stays = largest(filters, kept(group.width, self.rate, self.multiple))
            blocks[block] = replace(blocks[block], **{part: stays})
        return Units(tuple(blocks))
