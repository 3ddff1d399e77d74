"""Optimisers and learning-rate schedules of small trainings: SGD and AdamW; cosine, step and constant, with warm-up."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

OPTIMIZERS = ("sgd", "adamw")
SCHEDULES = ("cosine", "step", "constant")

FIRST_STEP = 0.1
"""Where a warm-up begins, as a share of its length: the first step must move something."""


@dataclass(frozen=True, slots=True)
class Optimization:
    """An optimiser and its learning rate over a training.

    Attributes:
      optimizer: `sgd` (Nesterov momentum) or `adamw`.
      lr: the peak learning rate.
      momentum: of SGD.
      weight_decay: of matrices and filters; biases and norms are spared.
      schedule: what follows the warm-up: `cosine` (half a cosine), `step` or `constant`.
      warmup: the share of the training in which the learning rate rises linearly to its peak.
      milestones: shares of the training, ascending, after each of which a step schedule multiplies by `gamma`.
      gamma: that factor.
      floor: where a cosine ends, as a share of `lr`.

    Raises:
      ValueError: for an unknown name or a number out of bounds.
    """

    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    schedule: str
    warmup: float
    milestones: tuple[float, ...]
    gamma: float
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be 'sgd' or 'adamw', got {self.optimizer!r}")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {self.schedule!r}")
        if not (0 < self.lr < math.inf and 0 <= self.momentum < 1 and 0 <= self.weight_decay < math.inf):
            numbers = f"{self.lr}, {self.momentum}, {self.weight_decay}"
            raise ValueError(f"lr must be above 0, momentum in [0, 1), weight_decay at least 0; got {numbers}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be a share of the training in [0, 1), got {self.warmup}")
        if list(self.milestones) != sorted(self.milestones) or not all(0 < share < 1 for share in self.milestones):
            raise ValueError(f"milestones must be ascending shares of the training in (0, 1), got {self.milestones}")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma must be in (0, 1], got {self.gamma}")
        if not 0 <= self.floor <= 1:
            raise ValueError(f"floor must be a share of lr in [0, 1], got {self.floor}")

    def make_optimizer(self, model: nn.Module, *, fused: bool = True, spared: str = "") -> Optimizer:
        """Return the optimiser of a model's parameters, at the peak learning rate.

        Not `fused`, it is slower, and takes steps in which some parameters have no gradient and stay as they are.
        Parameters whose name the regular expression `spared` finds do not decay either.
        """
        import torch

        weights: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            decays = parameter.ndim > 1 and not (spared and re.search(spared, name))
            (weights if decays else others).append(parameter)
        groups = [{"params": weights, "weight_decay": self.weight_decay}, {"params": others, "weight_decay": 0.0}]
        if self.optimizer == "adamw":
            return torch.optim.AdamW(groups, self.lr, fused=fused)
        return torch.optim.SGD(groups, self.lr, momentum=self.momentum, nesterov=self.momentum > 0, fused=fused)

    def lr_at(self, progress: float) -> float:
        """Return the learning rate at `progress`, from 0 to 1, through the training."""
        if progress < self.warmup:
            return self.lr * (progress / self.warmup + FIRST_STEP) / (1 + FIRST_STEP)
        if self.schedule == "step":
            passed = sum(progress >= share for share in self.milestones)
            return self.lr * float(self.gamma**passed)
        if self.schedule == "cosine":
            falling = 0.5 + 0.5 * math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup))
            return self.lr * (self.floor + (1 - self.floor) * falling)
        return self.lr
