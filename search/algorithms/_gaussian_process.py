"""Gaussian process regression on weighted groups of coordinates (Rasmussen and Williams 2006, chapters 2 and 5).

The covariance is exp(-sum_g w_g |a_g - b_g|^2) for groups g of coordinates, times a variance, plus noise. Weights and
noise are those of the largest marginal likelihood, times a prior that keeps few points from saying too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

WEIGHTS = (-9.0, 3.0)
"""Bounds of the logarithms of weights."""

NOISES = (-9.0, 0.0)
"""Bounds of the logarithm of the noise's variance over the signal's."""

PRIOR_DEVIATION = 1.0
"""Of all these logarithms."""

MAX_STEPS = 40
JITTER = 1e-6
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a fit finds: `weights` of the groups, shape (groups,), and the `noise`'s variance over the signal's."""

    weights: np.ndarray
    noise: float

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values that `from_json` reads without loss."""
        return {"weights": self.weights.tolist(), "noise": self.noise}

    @staticmethod
    def from_json(document: dict[str, Any]) -> Hyperparameters:
        """Return what `to_json` wrote."""
        return Hyperparameters(np.array(document["weights"], np.float64), float(document["noise"]))


def fit(
    coordinates: np.ndarray, groups: np.ndarray, targets: np.ndarray, start: Hyperparameters, prior: Hyperparameters
) -> Hyperparameters:
    """Return the hyper-parameters of the largest posterior density, by L-BFGS from `start`.

    Args:
      coordinates: shape (n, c), float64.
      groups: shape (c,), the group of each coordinate, 0 <= group < len(start.weights).
      targets: shape (n,), float64, centred.
      start: where the search begins.
      prior: the median of a log-normal prior.
    """
    from scipy.optimize import minimize

    bounds = [WEIGHTS] * len(start.weights) + [NOISES]
    found = minimize(
        _negative_log_posterior,
        np.clip(_logarithms(start), *np.array(bounds).T),
        (_group_distances(coordinates, groups, len(start.weights)), targets, _logarithms(prior)),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MAX_STEPS},
    ).x
    return Hyperparameters(np.exp(found[:-1]), float(np.exp(found[-1])))


def _logarithms(of: Hyperparameters) -> np.ndarray:
    found: np.ndarray = np.log(np.append(of.weights, of.noise))
    return found


def _group_distances(coordinates: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Return the squared distance of each pair of rows in each group, shape (groups, n * n)."""
    distances = np.empty((count, len(coordinates), len(coordinates)))
    for group in range(count):
        own = coordinates[:, groups == group]
        distances[group] = _squared_distances(own, own)
    return distances.reshape(count, -1)


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    squares: np.ndarray = first @ second.T
    squares *= -2.0
    squares += (first**2).sum(axis=1)[:, None]
    squares += (second**2).sum(axis=1)
    np.maximum(squares, 0.0, out=squares)
    return squares


def _negative_log_posterior(
    logarithms: np.ndarray, distances: np.ndarray, targets: np.ndarray, middle: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the value and its gradient; the signal's variance is at its own optimum (profile likelihood)."""
    from scipy.linalg import cho_solve, cholesky

    n = len(targets)
    weights, noise = np.exp(logarithms[:-1]), np.exp(logarithms[-1])
    signal = np.exp(-(weights @ distances)).reshape(n, n)
    factor = cholesky(signal + (noise + JITTER) * np.eye(n), lower=True, check_finite=False)
    inverse = cho_solve((factor, True), np.eye(n), check_finite=False)
    alpha = inverse @ targets
    variance = max(float(targets @ alpha) / n, TINY)
    value = 0.5 * n * np.log(variance) + np.log(np.diag(factor)).sum()
    slope = 0.5 * (inverse - np.outer(alpha, alpha) / variance)
    gradient = np.append(-weights * (distances @ (slope * signal).ravel()), noise * np.trace(slope))
    away = (logarithms - middle) / PRIOR_DEVIATION
    return float(value + 0.5 * away @ away), gradient + away / PRIOR_DEVIATION


class Posterior:
    """The points of a Gaussian process of variance 1; points can be added one after another.

    The inverse of the Cholesky factor is kept: a point more is one more row of it, in O(n^2). Predictions are made in
    single precision, which halves their cost.

    Attributes:
      noise: its variance.
      size: how many points there are; setting a smaller one forgets the last points.
    """

    def __init__(self, groups: np.ndarray, hyperparameters: Hyperparameters, capacity: int) -> None:
        """Begin without points; `groups` says which group each coordinate is of, `capacity` how many points will be."""
        self._scales = np.sqrt(hyperparameters.weights)[groups]
        self.noise = hyperparameters.noise + JITTER
        self._points = np.zeros((capacity, len(groups)))
        self._inverse = np.zeros((capacity, capacity))
        self._single = np.zeros((capacity, capacity), np.float32)
        self.size = 0

    def scaled(self, coordinates: np.ndarray) -> np.ndarray:
        """Return coordinates in which the covariance is exp(-|a - b|^2), float32."""
        found: np.ndarray = (coordinates * self._scales).astype(np.float32)
        return found

    def begin(self, coordinates: np.ndarray) -> None:
        """Take in many points at once, shape (n, c), in place of all before."""
        from scipy.linalg import cholesky, solve_triangular

        n = self.size = len(coordinates)
        self._points[:n] = scaled = coordinates * self._scales
        covariance = covariances(scaled, scaled) + self.noise * np.eye(n)
        factor = cholesky(covariance, lower=True, check_finite=False)
        self._inverse[:n, :n] = solve_triangular(factor, np.eye(n), lower=True, check_finite=False)
        self._single[:n, :n] = self._inverse[:n, :n]

    def add(self, coordinates: np.ndarray) -> None:
        """Take in one more point, shape (c,)."""
        n = self.size
        scaled = coordinates * self._scales
        across = np.exp(-((self._points[:n] - scaled) ** 2).sum(axis=1))
        row = self._inverse[:n, :n] @ across
        left = np.sqrt(max(1.0 + self.noise - row @ row, self.noise))
        self._inverse[n, :n] = -(row @ self._inverse[:n, :n]) / left
        self._inverse[n, n] = 1.0 / left
        self._single[n, : n + 1] = self._inverse[n, : n + 1]
        self._points[n] = scaled
        self.size += 1

    def covariance(self, scaled: np.ndarray) -> np.ndarray:
        """Return the covariances of `scaled` rows (m, c) with all points: (m, size), float32."""
        return covariances(scaled, self._points[: self.size].astype(np.float32))

    def whitened(self, covariance: np.ndarray) -> np.ndarray:
        """Return covariances with all points, (m, size), whitened: what a row's squares leave of 1 is its variance."""
        found: np.ndarray = covariance @ self._single[: self.size, : self.size].T
        return found

    def solved(self, whitened: np.ndarray) -> np.ndarray:
        """Return the weights (size,) of covariances in a mean, for the whitened targets of the first points.

        The points after these are taken to turn out as the first ones let expect. float32.
        """
        found: np.ndarray = whitened @ self._inverse[: len(whitened), : self.size]
        return found.astype(np.float32)

    def whitened_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return the points' targets, shape (size,), whitened: see `solved`."""
        found: np.ndarray = self._inverse[: self.size, : self.size] @ targets
        return found


def covariances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return exp(-|a - b|^2) for rows a of `first` and b of `second`, in their dtype."""
    squares = _squared_distances(first, second)
    np.negative(squares, out=squares)
    np.exp(squares, out=squares)
    return squares
