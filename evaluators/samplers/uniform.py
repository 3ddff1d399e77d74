"""Uniform sampling: random networks, each from the labels (Guo et al., ECCV 2020, with one network a step)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.samplers._base import Memory, Sampler, Step, Subnet


@dataclass(frozen=True)
class Uniform(Sampler):
    """Draws `subnets` networks a step, every decision uniform."""

    subnets: int = 1

    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return random networks."""
        del memory
        return [Subnet(at.nets.random(at.rng), "random") for _ in range(self.subnets)]
