"""A first, loose run of a network that attends: labels may change along several axes; what attention ties is noted."""

from __future__ import annotations

import numpy as np
import torch
from torch import fx

from spaces.pruning import kinds
from spaces.pruning.attending_walk import AttendingWalk
from spaces.pruning.heads import Pairs, Tied, tied
from spaces.pruning.walk import Labels, squeezed


class LooseWalk(AttendingWalk):
    """A run whose labels keep heads and their dimensions apart.

    Attributes:
      pairs: what was joined by sums and products, and along which heads are one.
    """

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.pairs: list[Pairs] = []
        self._joining = False

    def _moved(self, node: fx.Node) -> Labels:
        self._joining = kinds.target_name(node) in kinds.JOINING
        return super()._moved(node)

    def _compact(self, labels: np.ndarray, *, batched: bool) -> np.ndarray:
        return super()._compact(labels, batched=batched) if self._joining else squeezed(self.atoms.roots(labels))

    def _join(self, one: np.ndarray, other: np.ndarray) -> None:
        self.pairs.append((one, other))
        super()._join(one, other)


def tied_by_attention(traced: fx.GraphModule, batch: torch.Tensor) -> Tied | None:
    """Return which outputs of layers attention ties; None for a network that multiplies no values with each other."""
    rules = [kinds.FUNCTIONS.get(kinds.target_name(node)) for node in traced.graph.nodes]
    if not {"matmul", "attention"} & set(rules):
        return None
    walk = LooseWalk(traced)
    walk.run(batch)
    return tied(walk.pairs, {path: layer.outputs for path, layer in walk.layers.items()})
