"""Nested networks: a chain from the smallest to the largest, of which random ones are trained (SortedNet).

Source: Valipour et al. (arXiv 2309.00255), of which the abstract could be read: sub-networks are prefixes that are
sorted by size, and a step adds the gradients of randomly drawn ones. How many, and from which distribution, is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluators.nested.space import NestedSpace
from evaluators.samplers._base import Memory, Sampler, Step, Subnet


@dataclass(frozen=True)
class Nested(Sampler):
    """Draws `subnets` of the `levels` networks of a chain a step, uniformly; all learn from the labels.

    Along the chain all decisions grow together, each in equal steps of its own; see `chain`.
    """

    levels: int = 8
    subnets: int = 2

    def __post_init__(self) -> None:
        if self.levels < 2 or self.subnets < 1:
            raise ValueError(f"levels must be at least 2 and subnets 1, got {self.levels} and {self.subnets}")

    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return networks of the chain."""
        del memory
        levels = at.rng.integers(self.levels, size=self.subnets)
        return [Subnet(chain(at.nets, int(level) / (self.levels - 1)), f"level{level}") for level in levels]


def chain(nets: NestedSpace, share: float) -> np.ndarray:
    """Return the genotype at a share of the way from the smallest (0) to the largest network (1)."""
    return nets.of_ranks(np.array([round((1 - share) * (len(order) - 1)) for order in nets.order]))
