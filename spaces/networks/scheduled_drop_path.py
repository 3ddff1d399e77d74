"""ScheduledDropPath: paths of a cell are dropped, more often as training goes on and deeper in the network.

Source: Zoph et al. 2017 (arXiv 1707.07012); the schedule is that of its code, TF-slim's `nasnet_utils.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def keep_probability(progress: float, cell: int, cells: int, final: float) -> float:
    """Return 1 - min(1, progress) x (cell + 1) / cells x (1 - final).

    Args:
      progress: the share of training that is done.
      cell: the cell's number from 0, of all `cells`, those of a stem and reductions included.
      final: what the last cell has at the end of training.
    """
    return 1 - min(1.0, progress) * (cell + 1) / cells * (1 - final)


def drop_path(features: Tensor, keep: float) -> Tensor:
    """Return `features` (n, ...), each example times 1 / keep with probability `keep` and 0 otherwise.

    The expected value is the input. Random numbers are of PyTorch's generator of the features' device.
    """
    shape = (features.shape[0],) + (1,) * (features.ndim - 1)
    return features * torch.empty(shape, dtype=features.dtype, device=features.device).bernoulli_(keep) / keep


class ScheduledDropPath(nn.Module):
    """One path of a cell; in evaluation mode, and while its probability is 1, it hands its input on.

    Attributes:
      progress: the share of training that is done, which `set_progress` sets.
    """

    def __init__(self, cell: int, cells: int, final: float) -> None:
        """Take what `keep_probability` does. Raises ValueError for a `final` that is not in (0, 1]."""
        super().__init__()
        if not 0 < final <= 1:
            raise ValueError(f"the final probability of keeping a path must be in (0, 1], got {final}")
        self.cell, self.cells, self.final = cell, cells, final
        self.progress = 0.0

    @property
    def keep(self) -> float:
        """The probability with which a path is kept now."""
        return keep_probability(self.progress, self.cell, self.cells, self.final)

    def forward(self, features: Tensor) -> Tensor:
        """Return what `drop_path` does in training mode."""
        return drop_path(features, self.keep) if self.training and self.keep < 1 else features


def set_progress(network: nn.Module, progress: float) -> None:
    """Tell every path of `network` the share of training that is done."""
    for module in network.modules():
        if isinstance(module, ScheduledDropPath):
            module.progress = progress
