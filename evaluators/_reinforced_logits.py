"""One step of logits by REINFORCE (Williams 1992) as ProxylessNAS does it: networks scored, a fast baseline."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

import numpy as np
import torch
from torch import Tensor

from evaluators._preparation import Costs

BASELINE = "baseline"
"""The note that keeps it from step to step."""


def reward(accuracy: float, cost: float, reference: float, exponent: float = 0.1) -> float:
    """Return accuracy x (reference / cost)^exponent."""
    return accuracy * float((reference / cost) ** exponent)


def cost_of(costs: Costs, genotype: np.ndarray) -> float:
    """Return one network's cost, in the unit of `costs.metric`."""
    return costs.constant + sum(float(terms[choice]) for terms, choice in zip(costs.terms, genotype, strict=True))


def moved_baseline(notes: MutableMapping[str, float], mean: float, weight: float = 0.99) -> float:
    """Return the baseline after a mean score: the first such, then `weight` of the way from the old to the new one."""
    old = notes.get(BASELINE)
    notes[BASELINE] = mean if old is None else old + weight * (mean - old)
    return notes[BASELINE]


def reinforce_loss(
    logits: Sequence[Tensor], genotypes: Sequence[np.ndarray], scores: Sequence[float], baseline: float
) -> Tensor:
    """Return what falls as scores rise: the mean of (score - baseline) x -log p(genotype)."""
    chosen = torch.from_numpy(np.stack(genotypes)).T
    of_columns = [
        column.log_softmax(0)[choice.to(column.device)] for column, choice in zip(logits, chosen, strict=True)
    ]
    advantages = torch.tensor(scores).to(logits[0]) - baseline
    return -(advantages * torch.stack(of_columns).sum(0)).mean()
