"""A Gaussian process of one costly number of a trial, that grows with the trials and stays bounded.

It is built on at most `LARGEST` trials, those that came since are added one by one, and after `GROWTH` of them it is
built anew: on the half of `LARGEST` nearest to the best, a quarter that came last, and a quarter spread over the rest.
Its hyper-parameters are fitted again whenever the trials have grown by a tenth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from search.algorithms._gaussian_process import Hyperparameters, Posterior, covariances, fit

LARGEST = 320
GROWTH = 64

FITTED = 256
"""Trials that hyper-parameters are fitted to, at most."""

PENDING = 128
"""Unfinished trials that count, at most."""

NOISE = 1e-2
"""The likely variance of noise over that of the signal."""

LARGEST_TABLE = 4_000_000
"""Distances that are held for a fit, at most: of each pair of trials in each group of coordinates."""

REFIT = 1.1
"""How much the trials have grown by when hyper-parameters are fitted again."""

USUAL = 16
"""The first trials, whose median is what is usual: later ones are chosen by what was learnt."""

DEPTH = 0.5
"""How far values are clipped below what is usual, as a part of how far the best is above it."""

SMALLEST = 1e-6
TINY = 1e-12

Coordinates = Callable[[np.ndarray], np.ndarray]
"""Indices of trials (m,) -> their coordinates (m, c)."""

Nearness = Callable[[int], np.ndarray]
"""How near each of the first m trials is to the best of them, shape (m,), larger is nearer."""


class Surrogate:
    """Learns one number of a trial: call `update` with the trials so far, then `predict`."""

    def __init__(self, groups: np.ndarray, prior: np.ndarray, *, clipped: bool = True) -> None:
        """Take each coordinate's group and each group's likely weight; `clipped` values lose their lower tail."""
        self._clipped = clipped
        self._groups = groups
        self._prior = Hyperparameters(prior, NOISE)
        self._found = self._prior
        self._built = 0
        self._fitted = 0
        self._posterior: Posterior | None = None
        self._rows = np.zeros(0, np.intp)
        self._taken = 0

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs beside the trials."""
        return {"built": self._built, "fitted": self._fitted, **self._found.to_json()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`: the next `update` makes the same model as if nothing had been in between."""
        self._built, self._fitted = int(state["built"]), int(state["fitted"])
        self._found = Hyperparameters.from_json(state)
        self._posterior = None

    def update(self, coordinates: Coordinates, values: np.ndarray, nearness: Nearness, pending: np.ndarray) -> None:
        """Take in the `values` of all trials so far, shape (n,), and the coordinates of the `pending` ones, (p, c).

        Earlier trials come first, and their values do not change. Pending ones are taken to turn out as expected.
        """
        refit = len(values) >= max(1, self._fitted) * REFIT
        due = refit or len(values) >= self._built + GROWTH
        self._built = len(values) if due else self._built
        if due or self._posterior is None:
            self._rows = chosen(nearness(self._built))
            self._taken = self._built
            if refit:
                self._fit(coordinates, values)
            self._posterior = Posterior(self._groups, self._found, len(self._rows) + GROWTH + PENDING)
            self._posterior.begin(coordinates(self._rows))
        self._posterior.size = len(self._rows)
        for row in coordinates(np.arange(self._taken, len(values))):
            self._posterior.add(row)
        self._rows = np.append(self._rows, np.arange(self._taken, len(values)))
        self._taken = len(values)
        targets, self._middle, self._spread = self._standardised(values, self._rows)
        whitened = self._posterior.whitened_targets(targets)
        self._signal = max(float(whitened @ whitened) / len(targets), TINY) ** 0.5
        for row in pending[-PENDING:]:
            self._posterior.add(row)
        self._mean = self._posterior.solved(whitened)

    def _fit(self, coordinates: Coordinates, values: np.ndarray) -> None:
        self._fitted = len(values)
        count = min(FITTED, len(self._rows), int((LARGEST_TABLE / len(self._prior.weights)) ** 0.5))
        rows = self._rows[np.linspace(0, len(self._rows) - 1, count).astype(np.intp)]
        targets, _, _ = self._standardised(values, rows)
        self._found = fit(coordinates(rows), self._groups, targets, self._found, self._prior)

    def _standardised(self, values: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Return the values of some trials with mean 0 and deviation 1, and the mean and deviation that they had."""
        taken = values[rows]
        if self._clipped:
            taken = np.maximum(taken, floor_of(values))
        middle, spread = float(taken.mean()), max(float(taken.std()), TINY)
        return (taken - middle) / spread, middle, spread

    def predict(self, candidates: np.ndarray) -> Prediction:
        """Return what is expected of candidates (m, c)."""
        if self._posterior is None:
            raise ValueError("predict needs an update first")
        scaled = self._posterior.scaled(candidates)
        covariance = self._posterior.covariance(scaled)
        mean = self._middle + self._spread * (covariance @ self._mean)
        return Prediction(self._posterior, scaled, covariance, mean, self._spread * self._signal)


class Prediction:
    """Normal beliefs about candidates: their means, and bounds of their deviations until they are `narrowed`.

    Attributes:
      mean: shape (m,), in the values' own unit.
      deviation: how far off the mean may be, shape (m,), in the same unit.
    """

    def __init__(
        self, posterior: Posterior, scaled: np.ndarray, covariance: np.ndarray, mean: np.ndarray, scale: float
    ) -> None:
        """Take the candidates' covariances with all points, (m, n), and the standard deviation of the signal."""
        self.mean = mean
        self._posterior, self._scaled, self._covariance, self._scale = posterior, scaled, covariance, scale
        self._whitened = np.zeros((len(mean), 0), np.float32)
        self._left = 1.0 - covariance.max(axis=1, initial=0.0) ** 2  # what the nearest point alone leaves

    @property
    def deviation(self) -> np.ndarray:
        """See the class."""
        deviation: np.ndarray = self._scale * np.sqrt(np.maximum(self._left, SMALLEST))
        return deviation

    def narrowed(self, rows: np.ndarray) -> Prediction:
        """Return the beliefs about some candidates, with their deviations themselves."""
        kept = Prediction(self._posterior, self._scaled[rows], self._covariance[rows], self.mean[rows], self._scale)
        kept._whitened = self._posterior.whitened(kept._covariance)
        kept._left = 1.0 - np.einsum("ij,ij->i", kept._whitened, kept._whitened)
        return kept

    def joined(self, other: Prediction) -> Prediction:
        """Return narrowed beliefs about this one's candidates and then the other's."""
        mean, scaled, covariance, whitened, left = (
            np.concatenate(pair)
            for pair in (
                (self.mean, other.mean),
                (self._scaled, other._scaled),
                (self._covariance, other._covariance),
                (self._whitened, other._whitened),
                (self._left, other._left),
            )
        )
        both = Prediction(self._posterior, scaled, covariance, mean, self._scale)
        both._whitened, both._left = whitened, left
        return both

    def assume(self, index: int) -> None:
        """Take a narrowed candidate to be evaluated, with the result that is expected of it: no mean moves."""
        across = covariances(self._scaled, self._scaled[index : index + 1])[:, 0]
        across -= self._whitened @ self._whitened[index]
        column = across / np.sqrt(max(float(self._left[index]), 0.0) + self._posterior.noise)
        self._whitened = np.append(self._whitened, column[:, None], axis=1)
        self._left = self._left - column**2


def floor_of(values: np.ndarray) -> float:
    """Return what `values` (n,), in the order of the trials, are clipped at: a share below the median of the first.

    How bad the bad ones are is of no account, and a model that must tell them apart is worse where it matters. Later
    trials are chosen ones, and say little of what is usual.
    """
    usual = float(np.median(values[:USUAL]))
    return usual - DEPTH * (float(values.max()) - usual)


def chosen(nearness: np.ndarray) -> np.ndarray:
    """Return the indices of at most `LARGEST` trials, in order: near the best, late, and spread over the rest."""
    n = len(nearness)
    if n <= LARGEST:
        return np.arange(n)
    kept = np.zeros(n, bool)
    kept[np.argsort(-nearness, kind="stable")[: LARGEST // 2]] = True
    kept[n - LARGEST // 4 :] = True
    rest = (~kept).nonzero()[0]
    kept[rest[np.linspace(0, len(rest) - 1, LARGEST - int(kept.sum())).astype(np.intp)]] = True
    return kept.nonzero()[0]
