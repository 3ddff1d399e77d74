"""One step of ProxylessNAS' logits by gradient: which gates learn, and what keeps the others' probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evaluators._logits import sample
from evaluators._preparation import Costs
from evaluators.datasets import Part
from evaluators.latency_losses import expected_cost
from evaluators.paths import binary_paths
from evaluators.supernet import Supernet


@dataclass(frozen=True, slots=True)
class Gates:
    """What a step runs: `genotype`, the active choices, and `compared`, of each column the choices that learn."""

    genotype: np.ndarray
    compared: tuple[Tensor, ...]


def all_gates(logits: Sequence[Tensor], rng: torch.Generator) -> Gates:
    """Return gates of which all learn; the active ones are drawn by the softmax of logits."""
    return Gates(sample(logits, rng), tuple(torch.arange(len(column)) for column in logits))


def two_gates(logits: Sequence[Tensor], rng: torch.Generator) -> Gates:
    """Return gates of which two a column learn, drawn by the softmax without replacement; one of them is active."""
    pairs = [
        torch.multinomial(column.detach().cpu().softmax(0), min(2, len(column)), generator=rng) for column in logits
    ]
    active = sample([column.detach().cpu()[pair] for column, pair in zip(logits, pairs, strict=True)], rng)
    return Gates(np.array([int(pair[one]) for pair, one in zip(pairs, active, strict=True)]), tuple(pairs))


def gates_losses(
    supernet: Supernet, logits: Sequence[Tensor], gates: Gates, batch: Part, costs: Costs | None
) -> tuple[Tensor, Tensor | None]:
    """Return the cross-entropy and the expected cost, whose gradients the logits learn by.

    Probabilities are the softmax over the compared logits, in the gates and in the expected cost, so that
    dL/dalpha_i = p_i (dL/dg_i - sum_j p_j dL/dg_j) with i and j among the compared.
    """
    compared = [choices.to(column.device) for choices, column in zip(gates.compared, logits, strict=True)]
    chances = [column[choices].softmax(0) for column, choices in zip(logits, compared, strict=True)]
    outputs = supernet(batch.images, binary_paths(gates.genotype, gates.compared, chances))
    cross_entropy = functional.cross_entropy(outputs, batch.labels)
    return cross_entropy, None if costs is None else expected_cost(costs, chances, gates.compared)


@torch.no_grad()
def keep_mass(logits: Sequence[Tensor], before: Sequence[Tensor], gates: Gates) -> None:
    """Shift the compared logits so that their sum of exponentials is what it was `before` the optimiser's step.

    Every other choice's probability then stays as it was.
    """
    for column, old, compared in zip(logits, before, gates.compared, strict=True):
        choices = compared.to(column.device)
        column[choices] -= column[choices].logsumexp(0) - old[choices].logsumexp(0)
