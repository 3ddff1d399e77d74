"""The PQ index of sparsity and how much of a layer it says can go (Diao et al., ICLR 2023, "SAP").

The original asks it of single weights: see `evaluators.pruning.sap`; of channels: `evaluators.pruning.channel_sap`.
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np

MOST_AT_ONCE = 0.9
"""The share that goes at most in one iteration (beta)."""


def pq_index(weights: np.ndarray, p: float = 0.5, q: float = 1.0) -> float:
    """Return 1 - d^(1/q - 1/p) x |w|_p / |w|_q of d weights: 0 where all are as large, nearly 1 where one is alone.

    Weights that are all 0 have the index 0.

    Raises:
      ValueError: unless 0 < p < q.
    """
    if not 0 < p < q:
        raise ValueError(f"expected 0 < p < q, got {p} and {q}")
    sizes = np.abs(np.asarray(weights, float).ravel())
    if not sizes.any():
        return 0.0
    ratio = (sizes**p).sum() ** (1 / p) / (sizes**q).sum() ** (1 / q)
    return float(1 - len(sizes) ** (1 / q - 1 / p) * ratio)


def kept_at_least(weights: np.ndarray, p: float = 0.5, q: float = 1.0, eta: float = 0.0) -> float:
    """Return the bound on how many of d weights must stay: d x (1 + eta)^(-q/(q-p)) x (1 - I)^(pq/(q-p)).

    It is no whole number yet: `pruned_count` rounds it up.
    """
    count = np.asarray(weights).size
    return float(count * (1 + eta) ** (-q / (q - p)) * (1 - pq_index(weights, p, q)) ** (p * q / (q - p)))


def pruned_count(weights: np.ndarray, p: float = 0.5, q: float = 1.0, eta: float = 0.0, gamma: float = 1.0) -> int:
    """Return how many of d weights one iteration prunes: floor(d x min(gamma x (1 - r/d), 0.9))."""
    count = np.asarray(weights).size
    bound = ceil(kept_at_least(weights, p, q, eta) - 1e-9)
    return floor(count * min(gamma * (1 - bound / count), MOST_AT_ONCE) + 1e-9)
