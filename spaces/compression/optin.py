"""OPTIN (Khaki and Plataniotis, ICLR 2024): heads and neurons of a transformer chosen in one shot, without training.

A unit's importance is what later layers' features and the logits lose without it; of all numbers of heads that one is
taken whose most important heads, with the most important neurons that the budget then allows, are worth most. The
released code's factors of a unit's index are left out; so is patch removal, which was not released.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

TEMPERATURE, RATIO, LAST = 4.0, 10.0, 0.5


def head_macs(tokens: int, width: int, size: int) -> int:
    """Return the multiply-accumulates of a head of `size` dimensions: queries, keys, values, scores, the way back."""
    return 3 * tokens * width * size + 2 * tokens**2 * size + tokens * width * size


def neuron_macs(tokens: int, width: int) -> int:
    """Return those of one neuron of a perceptron."""
    return 2 * tokens * width


@dataclass(frozen=True, slots=True)
class Selected:
    """Which heads (blocks, heads) and neurons (blocks, neurons) stay, bool, and what they are worth together."""

    heads: np.ndarray
    neurons: np.ndarray
    worth: float


def select(heads: np.ndarray, neurons: np.ndarray, budget: float, *, head: int, neuron: int) -> Selected:
    """Return the heads and neurons of most importance within a budget of multiply-accumulates.

    Args:
      heads, neurons: importance, (blocks, heads) and (blocks, neurons); of equal ones the first stay.
      budget: of all of them together.
      head, neuron: what one costs.

    Raises:
      ValueError: where the budget is below 0.
    """
    if budget < 0:
        raise ValueError(f"the budget must be at least 0, got {budget}")
    ordered = [np.argsort(-each.ravel(), kind="stable") for each in (heads, neurons)]
    sums = [
        np.concatenate([[0.0], np.cumsum(each.ravel()[order])])
        for each, order in zip((heads, neurons), ordered, strict=True)
    ]
    most = min(heads.size, int(budget // head))
    left = np.minimum(neurons.size, (budget - head * np.arange(most + 1)) // neuron).astype(int)
    worth = sums[0][: most + 1] + sums[1][left]
    best = int(worth.argmax())
    masks = [np.zeros(each.size, bool) for each in (heads, neurons)]
    masks[0][ordered[0][:best]] = True
    masks[1][ordered[1][: left[best]]] = True
    return Selected(masks[0].reshape(heads.shape), masks[1].reshape(neurons.shape), float(worth[best]))


def importance(whole: Sequence[Tensor], without: Sequence[Tensor], logits: Tensor, logits_without: Tensor) -> float:
    """Return what is lost without a unit: of features of the layers behind it, and of the logits, rescaled.

    The former is the sum over layers of the squared difference between the tokens' similarities, the last layer's
    halved; the latter the Kullback-Leibler divergence at temperature 4, times 16 and a power of ten that brings it
    nearest to a tenth of the former.

    Args:
      whole, without: features (tokens, channels) of each later layer, with all units and without one.
      logits, logits_without: (n, classes).
    """
    gaps = [
        float((_similarity(one) - _similarity(other)).square().sum()) for one, other in zip(whole, without, strict=True)
    ]
    features = sum(gaps[:-1]) + LAST * gaps[-1] if gaps else 0.0
    divergence = float(
        functional.kl_div(
            functional.log_softmax(logits_without / TEMPERATURE, -1), functional.log_softmax(logits / TEMPERATURE, -1),
            reduction="batchmean", log_target=True,
        ) * TEMPERATURE**2
    )  # fmt: skip
    if features <= 0 or divergence <= 0:
        return features + max(divergence, 0.0)
    return features + divergence * 10.0 ** round(float(np.log10(features / RATIO / divergence)))


def _similarity(features: Tensor) -> Tensor:
    normalised = functional.normalize(features, dim=-1)
    return torch.matmul(normalised, normalised.transpose(-2, -1))
