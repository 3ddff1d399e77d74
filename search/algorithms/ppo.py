"""Proximal policy optimisation (Schulman et al. 2017): several clipped steps of the policy a batch, equation 7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search.algorithms._base import Problem
from search.algorithms._policy_gradient import PolicyGradient


@dataclass
class Ppo(PolicyGradient):
    """Climbs the mean of min(r * A, clip(r, 1 - clip, 1 + clip) * A), r = P(genotype) / P_old(genotype), by batches.

    P_old is the policy at the first of the `epochs` steps on a batch. See `PolicyGradient` for the others.
    """

    name: ClassVar[str] = "ppo"
    source: ClassVar[str] = "Schulman et al. 2017, equation 7"

    epochs: int = 4
    clip: float = 0.2

    def start(self, problem: Problem) -> None:
        """Begin with a uniform policy. Raises ValueError for settings out of bounds."""
        if self.epochs < 1 or not 0 < self.clip < 1:
            raise ValueError(f"ppo needs epochs >= 1 and 0 < clip < 1, got {self.epochs} and {self.clip}")
        super().start(problem)

    def _improve(self, genotypes: np.ndarray, advantages: np.ndarray) -> None:
        old = self._policy.log_probabilities(genotypes)
        for _ in range(self.epochs):
            ratios = np.exp(self._policy.log_probabilities(genotypes) - old)
            free = np.where(advantages > 0, ratios < 1 + self.clip, ratios > 1 - self.clip)
            self._step(genotypes, np.where(free, ratios * advantages, 0.0))
