"""MaskSparsity (Jiang et al., 2021): only those of the norms' scales that are to go are pulled to zero.

Train with an L1 penalty on all scales, mask those below a threshold, train again with the penalty on the masked ones,
prune, train on. Constants are those of its released code. A unit of several norms counts by their mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evaluators.pruning.units import Units


@dataclass(frozen=True, slots=True)
class MaskSparsity:
    """The method's two numbers.

    Attributes:
      threshold: of a scale's absolute value, below which a unit is masked, and in the end pruned.
      strength: of the penalty (lambda).
    """

    threshold: float = 0.01
    strength: float = 5e-4

    def masked(self, units: Units) -> Tensor:
        """Return which units are to go, (count,) bool; of a group at least one stays."""
        scales = units.scales()
        redundant = scales < self.threshold
        for members in torch.split(torch.arange(units.count), units.sizes):
            if redundant[members].all():
                redundant[members[scales[members].argmax()]] = False
        return redundant

    def penalise(self, units: Units, mask: Tensor | None = None) -> None:
        """Add the penalty's gradient, strength x sign(scale), of all units or of those in `mask` (count,) bool."""
        chosen = torch.ones(units.count) if mask is None else mask.float()
        units.pull_scales(self.strength * chosen)
