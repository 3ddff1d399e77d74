"""SAP (Diao et al., ICLR 2023) on channels: how many of them the PQ index of their filters' sizes says can go.

The original asks it of single weights, see `evaluators.pruning.sap`. That it is asked of the L2 norms of whole filters,
each over the root mean square of its group's, so that layers of other fan-ins compare, is this project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from evaluators.pruning.hesso import lowest
from evaluators.pruning.pq_index import pq_index, pruned_count
from evaluators.pruning.units import Units


@dataclass(frozen=True, slots=True)
class ChannelSap:
    """The method's numbers.

    Attributes:
      iterations: trainings from the first weights, after each of which units go.
      scope: what an index is of: each group (`layer`), or all units together (`global`).
      p, q: the index' two norms, 0 < p < q.
      eta: how far below the index' bound pruning may go.
      gamma: what the share that may go is multiplied by.

    Raises:
      ValueError: for numbers out of bounds.
    """

    iterations: int = 3
    scope: Literal["layer", "global"] = "layer"
    p: float = 0.5
    q: float = 1.0
    eta: float = 0.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {self.iterations}")
        if self.scope not in ("layer", "global"):
            raise ValueError(f"unknown scope {self.scope!r}; expected layer or global")
        if self.eta < 0 or self.gamma <= 0:
            raise ValueError(f"eta must be at least 0 and gamma above 0, got {self.eta} and {self.gamma}")
        pq_index(torch.ones(1).numpy(), self.p, self.q)

    def pruned(self, units: Units, gone: Tensor) -> Tensor:
        """Return the units that are gone after one more iteration, (count,) bool; of each group one stays.

        Args:
          units: of the model that was trained.
          gone: those that were before it, (count,) bool.
        """
        sizes = _comparable(units, gone)
        everything = torch.ones_like(gone)
        groups = range(len(units.sizes)) if self.scope == "layer" else ()
        for inside in [units.groups == group for group in groups] or [everything]:
            left = sizes[inside & ~gone].double().numpy()
            count = pruned_count(left, self.p, self.q, self.eta, self.gamma)
            gone = gone | lowest(units, torch.where(inside, sizes, torch.inf), count, gone)
        return gone


def _comparable(units: Units, gone: Tensor) -> Tensor:
    """Return the size of each unit's filters over the root mean square of those left of its group, (count,)."""
    squares = torch.where(gone, 0.0, units.filter_norms().square())
    number = torch.zeros(len(units.sizes)).index_add(0, units.groups, (~gone).float())
    mean = torch.zeros(len(units.sizes)).index_add(0, units.groups, squares) / number
    return (squares / mean.clamp(min=1e-24)[units.groups]).sqrt()
