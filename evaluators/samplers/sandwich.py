"""The sandwich rule: the largest network, random ones, the smallest (Yu et al., ECCV 2020, BigNAS, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.samplers._base import Memory, Sampler, Step, Subnet


@dataclass(frozen=True)
class Sandwich(Sampler):
    """Draws the largest network, which learns from the labels, then the smallest and `random` others, from the largest.

    With the trainer's `divergence="adaptive"` they learn as in AlphaNet (Wang et al., ICML 2021).
    """

    random: int = 2

    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return the largest network first."""
        del memory
        others = [("smallest", at.nets.smallest), *(("random", at.nets.random(at.rng)) for _ in range(self.random))]
        taught = [Subnet(genotype, kind, teachers=(0,), labels=0.0) for kind, genotype in others]
        return [Subnet(at.nets.largest, "largest"), *taught]
