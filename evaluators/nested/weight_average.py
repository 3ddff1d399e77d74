"""An exponential moving average of a supernet's weights, which is scored in their place.

Polyak and Juditsky, 1992; ElasticViT's released code (Tang et al., ICCV 2023) keeps one with a decay of 0.99985.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

from evaluators.nested.weights import NestedWeights, load_weights, trained


class WeightAverage:
    """The average, moved after each step: average = d x average + (1 - d) x weights.

    d is the `decay`, but in the n-th step, from 0, at most (1 + n) / (10 + n). This is TensorFlow's rule for short
    trainings, which the released code has not: 600 of its steps would leave 91 % of the initial weights in the average.
    For a decay of 0.99985 it ends after 60,000 steps.

    Attributes:
      weights: the average.
      steps: how many it was moved.
    """

    def __init__(self, weights: NestedWeights, decay: float) -> None:
        self.decay = decay
        self.restart(weights)

    def restart(self, weights: NestedWeights) -> None:
        """Begin anew: where weights changed places, the average of the old places means nothing."""
        self.weights, self.steps = copy.deepcopy(weights).requires_grad_(requires_grad=False), 0

    @torch.no_grad()
    def move(self, weights: NestedWeights) -> None:
        """Take a step's weights in."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mean, new in zip(self.weights.parameters(), weights.parameters(), strict=True):
            mean.lerp_(new, 1 - decay)
        self.steps += 1

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"weights": trained(self.weights), "steps": self.steps}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a kept state."""
        load_weights(self.weights, state["weights"])
        self.steps = int(state["steps"])
