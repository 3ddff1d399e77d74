"""How far predictions are from measurements that the fit never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Errors on held-out networks, as fractions (0.02 is 2 %) unless a unit is named.

    Attributes:
      networks: how many were predicted, each by a fit without it.
      folds: into how many parts they were split; as many as networks means that each was left out alone.
      mape: mean absolute error relative to the measurement.
      median_error: the median of the same, which single odd networks do not move.
      rmse_ms: root of the mean squared error.
      kendall_tau, spearman: rank correlations; None where they are undefined (under two networks, or all equal).
    """

    networks: int
    folds: int
    mape: float
    median_error: float
    rmse_ms: float
    kendall_tau: float | None
    spearman: float | None


def held_out(predicted_ms: np.ndarray, measured_ms: np.ndarray, folds: int) -> HeldOut:
    """Return the report of predictions (n,) against measurements (n,), finite and above zero, n at least 1."""
    errors = np.abs(predicted_ms - measured_ms) / measured_ms
    return HeldOut(
        networks=len(measured_ms),
        folds=folds,
        mape=float(errors.mean()),
        median_error=float(np.median(errors)),
        rmse_ms=float(np.sqrt(np.mean((predicted_ms - measured_ms) ** 2))),
        kendall_tau=kendall_tau(predicted_ms, measured_ms),
        spearman=spearman(predicted_ms, measured_ms),
    )


def spearman(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Spearman's rank correlation of two (n,) arrays, ties at their mean rank; None when either is constant."""
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(first), rankdata(second)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norm = float(np.sqrt(np.prod((ranks**2).sum(axis=1))))
    return float(ranks[0] @ ranks[1]) / norm if norm else None


def kendall_tau(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Kendall's tau-b of two (n,) arrays, in O(n log n); None when either is constant."""
    from scipy.stats import kendalltau

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(kendalltau(first, second).statistic)
