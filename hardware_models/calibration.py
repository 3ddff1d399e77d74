"""From a sum of isolated operators to a whole network: an affine correction learnt from measured networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from hardware_models.validation import ValidationReport, compare

MINIMUM_ANCHORS = 5
"""Fewer would be fitted by their noise."""


LEAST_SHARE = 0.25
"""Of the scaled sum, for networks so far below the anchors that a negative offset would leave less."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """latency = scale * (sum of the entries) + per_layer_ms * (layers) + per_op_ms * (operators) + offset_ms.

    An operator timed over and over finds its code in the branch predictor and some of its data in a near cache; in a
    network it does not. That costs in proportion to the work, once for each operator, and once more for each layer (a
    convolution or linear layer), which is called through a library of kernels. So none is below zero but offset_ms,
    which is where the parts that all networks share are timed as slower than they are.

    Attributes:
      anchors: the networks that it was fitted on; 0 means that nothing was fitted.
      validation: each anchor predicted by a fit on all the others, against its measurement; None without a fit.
    """

    scale: float = 1.0
    per_layer_ms: float = 0.0
    per_op_ms: float = 0.0
    offset_ms: float = 0.0
    anchors: int = 0
    validation: ValidationReport | None = None

    def __call__(self, total_ms: float, layers: int, operators: int) -> float:
        """Return the latency in ms of a network of so many layers (`counts.layers`) and operators, by their sum.

        However small, no network takes less than a quarter of `scale` times its operators alone.
        """
        calls_ms = self.per_layer_ms * layers + self.per_op_ms * operators
        return max(self.scale * total_ms + calls_ms + self.offset_ms, LEAST_SHARE * self.scale * total_ms)


def fit(
    totals_ms: np.ndarray, layers: np.ndarray, operators: np.ndarray, measured_ms: np.ndarray, halves_ms: np.ndarray
) -> Calibration:
    """Return the calibration with the least squared relative error on n anchors; see `Calibration` for the signs.

    Args:
      totals_ms: (n,) sums of entries.
      layers, operators: (n,) numbers of either.
      measured_ms: (n,) latencies.
      halves_ms: (2, n) independent estimates of them.

    Raises:
      ValueError: for fewer than `MINIMUM_ANCHORS` anchors.
    """
    count = len(measured_ms)
    if count < MINIMUM_ANCHORS:
        raise ValueError(f"a calibration needs at least {MINIMUM_ANCHORS} measured networks, got {count}")
    features = np.stack([totals_ms, layers, operators, np.ones(count)], axis=1)
    scale, per_layer_ms, per_op_ms, offset_ms = _least_squares(features, measured_ms).tolist()
    others = ~np.eye(count, dtype=bool)
    predicted = [features[left] @ _least_squares(features[rest], measured_ms[rest]) for left, rest in enumerate(others)]
    report = compare(np.array(predicted), measured_ms, halves_ms)
    return Calibration(scale, per_layer_ms, per_op_ms, offset_ms, count, report)


def _least_squares(features: np.ndarray, measured_ms: np.ndarray) -> np.ndarray:
    """Return the coefficients (4,) of the least squared relative error, none below zero but the last."""
    found = lsq_linear(
        features / measured_ms[:, None], np.ones(len(measured_ms)), ([0, 0, 0, -np.inf], np.inf), method="bvls"
    )
    return np.asarray(found.x)
