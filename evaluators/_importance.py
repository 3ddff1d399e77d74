"""One sampled network that serves several distributions: importance weights, and REINFORCE for each of them.

Source: the search of FBNetV5 (Wu et al. 2021, arXiv 2111.10007), as far as it is described; the proposal is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from evaluators._logits import sample

Logits = Sequence[Tensor]
"""Of one task: of each column those of its choices."""


def propose(tasks: Sequence[Logits], rng: torch.Generator) -> np.ndarray:
    """Return a genotype of the proposal q: the even mixture of the tasks' distributions."""
    return sample(tasks[int(torch.randint(len(tasks), (1,), generator=rng))], rng)


def log_probability(logits: Logits, genotype: np.ndarray) -> Tensor:
    """Return the logarithm of a genotype's probability, differentiable in the logits."""
    chosen = [column.log_softmax(0)[int(choice)] for column, choice in zip(logits, genotype, strict=True)]
    return torch.stack(chosen).sum()


def importance(log_probabilities: Tensor) -> Tensor:
    """Return p_t(a) / q(a) of each task, (tasks,), of log p_t(a); at most the number of tasks, 1 for a single one."""
    log_proposal = log_probabilities.logsumexp(0) - math.log(len(log_probabilities))
    return (log_probabilities - log_proposal).exp().detach()


def multi_task_loss(
    losses: Tensor, log_probabilities: Tensor, penalty: float, baselines: Tensor, *, learn: bool = True
) -> Tensor:
    """Return what has both gradients of sum_t E_{a ~ p_t}[loss_t(a) + penalty(a)], unbiased for a ~ q.

    Of weights: sum_t omega_t x loss_t. Of task t's logits: omega_t x (loss_t + penalty - baseline_t) x that of log p_t.

    Args:
      losses: of each task on the sampled network, (tasks,).
      log_probabilities: of that network under each task's distribution, (tasks,).
      penalty: the network's cost, in the unit of losses.
      baselines: of each task, (tasks,); any numbers that do not depend on the network.
      learn: whether logits are to have a gradient.
    """
    weights = importance(log_probabilities)
    of_weights = (weights * losses).sum()
    if not learn:
        return of_weights
    advantages = losses.detach() + penalty - baselines
    surrogate = (weights * advantages * log_probabilities).sum()
    return of_weights + surrogate - surrogate.detach()
