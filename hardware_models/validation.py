"""How far predicted latencies are from measured ones, with the measurement's own noise beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """Errors of predictions, as fractions (0.02 is 2 %) unless a unit is named.

    Attributes:
      networks: how many were compared.
      mape: mean absolute error relative to the measurement.
      max_error: the largest absolute relative error.
      rmse_ms: root of the mean squared error.
      kendall_tau: Kendall's tau-b of the two rankings; None where it is undefined (under two networks, or all equal).
      pearson: correlation; None likewise.
      within_5, within_10: the share of networks predicted within 5 % and 10 %.
      truth_mape, truth_kendall_tau: the same between two halves of the measurements: no prediction can be expected to
        be closer than the truth is to itself. None where there are no halves.
    """

    networks: int
    mape: float
    max_error: float
    rmse_ms: float
    kendall_tau: float | None
    pearson: float | None
    within_5: float
    within_10: float
    truth_mape: float | None = None
    truth_kendall_tau: float | None = None


def compare(predicted_ms: ArrayLike, measured_ms: ArrayLike, halves_ms: ArrayLike | None = None) -> ValidationReport:
    """Return the report of predictions (n,) against measurements (n,) with their halves (2, n), n at least 1.

    Raises:
      ValueError: for shapes that differ, no networks, or a number that is not finite; measurements must be above zero.
    """
    predicted, measured = np.asarray(predicted_ms, dtype=float), np.asarray(measured_ms, dtype=float)
    halves = None if halves_ms is None else np.asarray(halves_ms, dtype=float)
    _check(predicted, measured, halves)
    errors = np.abs(predicted - measured) / measured
    return ValidationReport(
        networks=len(measured),
        mape=float(errors.mean()),
        max_error=float(errors.max()),
        rmse_ms=float(np.sqrt(np.mean((predicted - measured) ** 2))),
        kendall_tau=kendall_tau(predicted, measured),
        pearson=pearson(predicted, measured),
        within_5=float(np.mean(errors <= 0.05)),
        within_10=float(np.mean(errors <= 0.10)),
        truth_mape=None if halves is None else float(np.mean(np.abs(halves[0] - halves[1]) / halves.mean(axis=0))),
        truth_kendall_tau=None if halves is None else kendall_tau(halves[0], halves[1]),
    )


def kendall_tau(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Kendall's tau-b (Kendall, 1945) of two (n,) arrays, in O(n^2) space; None when either is constant."""
    upper = np.triu_indices(len(first), k=1)
    left = np.sign(first[:, None] - first)[upper]
    right = np.sign(second[:, None] - second)[upper]
    norm = float(np.sqrt(np.sum(left**2) * np.sum(right**2)))
    return float(np.sum(left * right)) / norm if norm else None


def pearson(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return the correlation of two (n,) arrays; None when either is constant."""
    left, right = first - first.mean(), second - second.mean()
    norm = float(np.sqrt(np.sum(left**2) * np.sum(right**2)))
    return float(np.sum(left * right)) / norm if norm else None


def _check(predicted: np.ndarray, measured: np.ndarray, halves: np.ndarray | None) -> None:
    if predicted.shape != measured.shape or measured.ndim != 1 or not len(measured):
        raise ValueError(
            f"expected two (n,) arrays of at least one latency, got {predicted.shape} and {measured.shape}"
        )
    if halves is not None and halves.shape != (2, len(measured)):
        raise ValueError(f"expected halves of shape (2, {len(measured)}), got {halves.shape}")
    everything = np.concatenate([predicted, measured, *(() if halves is None else halves)])
    if not np.isfinite(everything).all() or measured.min() <= 0:
        raise ValueError("latencies must be finite and the measured ones above zero; measure the networks again")
