"""What the logits of a search say: probabilities, the most probable network, entropy, expected cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from evaluators._preparation import Costs, Distribution
from evaluators.latency_losses import expected_cost


def probabilities(logits: Sequence[Tensor]) -> list[Tensor]:
    """Return the softmax of each column's logits."""
    return [column.softmax(0) for column in logits]


def log_probabilities(logits: Sequence[Tensor]) -> Distribution:
    """Return the log-softmax of each column's logits, float64."""
    return tuple(column.detach().cpu().double().log_softmax(0).numpy() for column in logits)


def most_probable(logits: Sequence[Tensor]) -> np.ndarray:
    """Return the genotype of each column's largest logit; of equal ones the first."""
    return np.array([int(column.argmax()) for column in logits])


def distribution_metrics(logits: Sequence[Tensor], costs: Costs | None) -> dict[str, float]:
    """Return the entropy in nats, mean over columns of several choices, and the expected cost under its own name."""
    found = [column for column in log_probabilities(logits) if len(column) > 1]
    metrics = {"entropy_nats": float(np.mean([-(np.exp(column) * column).sum() for column in found] or [0.0]))}
    if costs is not None:
        with torch.no_grad():
            metrics[f"expected_{costs.metric}"] = expected_cost(costs, probabilities(logits)).item()
    return metrics


def sample(logits: Sequence[Tensor], rng: torch.Generator) -> np.ndarray:
    """Return a genotype drawn from the softmax of each column's logits, (width,); `rng` is the CPU's."""
    drawn = [torch.multinomial(column.detach().cpu().softmax(0), 1, generator=rng) for column in logits]
    return np.array([int(choice) for choice in drawn])
