"""A factorised policy over a space's columns: a categorical for each choice, a squashed normal for each float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from spaces.genotype import Column, GenotypeSpace

EDGE = 1e-9
"""How near a float may come to its bounds, as a share of its scale, before its squashed value is cut off."""

WIDEST, NARROWEST = np.log(1.7), np.log(0.02)
"""The bounds of a float's log deviation: 1.7 is nearly uniform after squashing."""


class Policy:
    """Independent distributions, one a column: P(genotype) is the product over the columns that are active in it.

    A choice is drawn from the softmax of its logits; a float is `sigmoid(z)` of the way along its scale, z normal.
    What breaks the rules of a `manyof` is repaired after drawing, and probabilities are those of the repaired row's
    columns as if they had been drawn: of a distinct or sorted `manyof` they are therefore not normalised.

    Attributes:
      parameters: shape (width, k), float64. A choice's row holds its logits, then zeros that mean nothing; a float's
        row holds the mean and the log deviation of z.
    """

    def __init__(self, space: GenotypeSpace) -> None:
        """Begin uniform over choices, and nearly so over floats."""
        self._space = space
        cardinalities = np.array([column.cardinality for column in space.columns], np.intp)
        self._floats = (cardinalities == 0).nonzero()[0]
        self._chosen = cardinalities > 0
        self._present = np.arange(max(2, cardinalities.max(initial=0))) < cardinalities[:, None]
        self.parameters = np.zeros(self._present.shape)
        self.parameters[self._floats, 1] = WIDEST

    def sample(self, count: int, rng: np.random.Generator, temperature: float = 1.0) -> np.ndarray:
        """Return valid genotypes, shape (count, width); a `temperature` above 1 flattens every distribution."""
        bounds = self._probabilities(temperature).cumsum(axis=1)[:, :-1]
        uniform = rng.random((count, len(bounds), 1))
        drawn = (uniform >= bounds).sum(axis=2).astype(np.float64)
        for index in self._floats:
            mean, deviation = self.parameters[index, 0], np.exp(self.parameters[index, 1])
            z = rng.normal(mean, deviation * temperature, count)
            drawn[:, index] = _from_share(self._space.columns[index], 0.5 + 0.5 * np.tanh(0.5 * z))
        return self._space.repair(drawn)

    def log_probabilities(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the log of each row's probability, shape (n,), that of a float as the density of z."""
        with np.errstate(divide="ignore"):
            logs = np.log(self._probabilities())
        choices, scaled = self._values(genotypes)
        each = logs[np.arange(len(logs)), choices]
        each[:, self._floats] = -0.5 * (scaled**2 + np.log(2 * np.pi)) - self.parameters[self._floats, 1]
        total: np.ndarray = np.where(self._space.active(genotypes), each, 0.0).sum(axis=1)
        return total

    def gradient(self, genotypes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the sum over rows of weights (n,) times the gradient of the log-probability, like `parameters`."""
        choices, scaled = self._values(genotypes)
        weighted = np.where(self._space.active(genotypes), weights[:, None], 0.0)
        found: np.ndarray = -weighted.sum(axis=0)[:, None] * self._probabilities()
        np.add.at(found, (np.arange(len(found)), choices), np.where(self._chosen, weighted, 0.0))
        deviations = np.exp(self.parameters[self._floats, 1])
        found[self._floats, 0] = (weighted[:, self._floats] * scaled).sum(axis=0) / deviations
        found[self._floats, 1] = (weighted[:, self._floats] * (scaled**2 - 1)).sum(axis=0)
        return found

    def entropy_gradient(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the gradient of the sum of the columns' entropies, each weighted by the share of rows that use it.

        A float's entropy is that of z, before squashing.
        """
        probabilities = self._probabilities()
        logs = np.log(np.maximum(probabilities, np.finfo(float).tiny))
        entropies = -(probabilities * logs).sum(axis=1, keepdims=True)
        found = -probabilities * (logs + entropies)
        found[self._floats, 1] = 1.0
        share = self._space.active(genotypes).mean(axis=0)
        bonus: np.ndarray = found * share[:, None]
        return bonus

    def bound(self) -> None:
        """Hold deviations within their bounds, after a step."""
        self.parameters[self._floats, 1] = self.parameters[self._floats, 1].clip(NARROWEST, WIDEST)

    def _probabilities(self, temperature: float = 1.0) -> np.ndarray:
        """Return each choice's probabilities, shape (width, k); rows of floats are 0."""
        logits = np.where(self._present, self.parameters / temperature, -np.inf)
        highest = logits.max(axis=1, keepdims=True, initial=-np.finfo(float).max)
        weights = np.exp(logits - highest)
        probabilities: np.ndarray = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return probabilities

    def _values(self, genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows' choices (n, width), 0 for floats, and their floats' (z - mean) / deviation (n, floats)."""
        choices = np.where(self._chosen, genotypes, 0).astype(np.intp)
        shares = [_share(self._space.columns[index], genotypes[:, index]) for index in self._floats]
        inner = np.array(shares).reshape(len(shares), len(genotypes)).T.clip(EDGE, 1 - EDGE)
        means, deviations = self.parameters[self._floats, 0], np.exp(self.parameters[self._floats, 1])
        return choices, (np.log(inner / (1 - inner)) - means) / deviations


def _from_share(column: Column, shares: np.ndarray) -> np.ndarray:
    """Return the values that lie `shares` (0 to 1) along a float's scale."""
    low, high = column.low, column.high
    if column.scale == "log":
        values = low * (high / low) ** shares
    elif column.scale == "rlog":
        values = high + low - low * (high / low) ** (1 - shares)
    else:
        values = low + (high - low) * shares
    result: np.ndarray = np.clip(values, low, high)
    return result


def _share(column: Column, values: np.ndarray) -> np.ndarray:
    """Return how far along a float's scale `values` lie, 0 to 1: the inverse of `_from_share`."""
    low, high = column.low, column.high
    if low == high:
        return np.full(len(values), 0.5)
    if column.scale == "log":
        shares = np.log(values / low) / np.log(high / low)
    elif column.scale == "rlog":
        shares = 1 - np.log((high + low - values) / low) / np.log(high / low)
    else:
        shares = (values - low) / (high - low)
    result: np.ndarray = shares
    return result
