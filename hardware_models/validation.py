"""How far predicted latencies are from measured ones, with the measurement's own noise beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.held_out import kendall_tau

TOLERATED_MAPE = 0.05
"""A mean error up to this is good enough, however quiet the machine was."""

TOLERATED_NOISE = 0.05
"""Where the truth's own halves differ by more on average, nothing can be said of a table."""

TOLERATED_TAU_LOSS = 0.03
"""By how much a table's Kendall tau may lie below that of the truth's two halves."""


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

    def warning(self) -> str | None:
        """Return what is wrong with predictions that are worse than the measurements' noise allows; None if nothing is.

        They are where the mean error exceeds both 5 % and twice the mean difference of the truth's halves, or where
        Kendall's tau is more than 0.03 below the tau between these halves. Truth whose halves differ by more than 5 %
        on average is too noisy to tell, which is warned of too.
        """
        noise = self.truth_mape or 0.0
        if self.mape > max(TOLERATED_MAPE, 2 * noise):
            return f"its mean error on {self.networks} networks is {self.mape:.1%}, {self._noise()}"
        if None not in (self.kendall_tau, self.truth_kendall_tau):
            tau, truth = float(self.kendall_tau or 0.0), float(self.truth_kendall_tau or 0.0)
            if tau < truth - TOLERATED_TAU_LOSS:
                return f"it ranks {self.networks} networks with Kendall tau {tau:.3f}, their halves with {truth:.3f}"
        if noise > TOLERATED_NOISE:
            return f"the machine was too noisy to tell how good it is: {self._noise()}"
        return None

    def _noise(self) -> str:
        if self.truth_mape is None:
            return "and the measurements' own noise is not known"
        return f"the measurements' own halves differ by {self.truth_mape:.1%}"


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
