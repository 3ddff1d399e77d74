"""Delayed shrinking: the largest network alone for half of the training, the others at rates that rise from 0.

Source: DepS (Annavajjala, Khare et al., ECCV 2024, arXiv 2407.06167) and its released code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.samplers._base import Memory, Sampler, Step, Subnet


@dataclass(frozen=True)
class DelayedShrinking(Sampler):
    """Draws the largest network; from `start` - `ramp` of the training on also the smallest and `random` others.

    Those learn from the largest alone. In the ramp their learning rate rises from 0 to `multiplier` times the one that
    the schedule has at `start`; afterwards it is `multiplier` times the schedule's. What the released code can do with
    gradients of weights that networks share is `evaluators.nested.recipe.Recipe`'s `shared`.

    Attributes:
      start: a share of the training; 150 of 270 epochs in the paper's ImageNet run.
      ramp: likewise; 5 of 270 epochs there.
      random: how many random networks a step trains.
      multiplier: of the random networks' learning rate; 1 there.
      smallest: the same of the smallest network's; None for `multiplier`.
      sort: whether inner channels are sorted by importance, once, when shrinking starts.
    """

    start: float = 150 / 270
    ramp: float = 5 / 270
    random: int = 2
    multiplier: float = 1.0
    smallest: float | None = None
    sort: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.ramp <= self.start < 1:
            raise ValueError(f"expected 0 < ramp <= start < 1, got ramp {self.ramp} and start {self.start}")

    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return the largest network first."""
        del memory
        largest = Subnet(at.nets.largest, "largest")
        if at.progress < self.start - self.ramp:
            return [largest]
        least = self.multiplier if self.smallest is None else self.smallest
        ramp = self.ramped(at)
        smallest = Subnet(at.nets.smallest, "smallest", teachers=(0,), labels=0.0, scale=least * ramp)
        random = [
            Subnet(at.nets.random(at.rng), "random", teachers=(0,), labels=0.0, scale=self.multiplier * ramp)
            for _ in range(self.random)
        ]
        return [largest, smallest, *random]

    def sorts(self, at: Step, memory: Memory) -> Sequence[np.ndarray] | None:
        """Return, with `sort`, at the first step of the ramp that all channels are to be sorted."""
        if not self.sort or at.progress < self.start - self.ramp or "sorted" in memory:
            return None
        memory["sorted"] = True
        return []

    def ramped(self, at: Step) -> float:
        """Return what the others' gradients are multiplied by, but for their multiplier: 1 after the ramp.

        It is their learning rate as a part of the schedule's, for one step of the optimiser serves all networks.
        """
        if at.progress >= self.start:
            return 1.0
        done = at.progress - (self.start - self.ramp) + 1 / (at.steps * at.epochs)
        return min(1.0, done / self.ramp) * at.lr_at(self.start) / at.lr_at(at.progress)
