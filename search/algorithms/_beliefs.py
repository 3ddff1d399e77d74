"""What is believed of candidates: known scores exactly, costly ones by Gaussian processes, and whether they will do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from search.algorithms._base import Results
from search.algorithms._features import Features
from search.algorithms._surrogate import Prediction, Surrogate

KnownOf = Callable[[np.ndarray], np.ndarray]
"""Genotypes (n, width) -> scores (n, objectives), NaN where they are costly."""


class Beliefs:
    """All trials, and a surrogate of each costly objective; one more says how likely a trial is to be of use.

    A trial is of use when it has a result and violates nothing. That surrogate is asked as soon as one is not.

    Attributes:
      genotypes, scores, useful: of all trials as told, (n, width), (n, objectives) and (n,).
      complete: how many of them have all scores.
    """

    def __init__(self, features: Features, known_of: KnownOf, is_known: np.ndarray, none: np.ndarray) -> None:
        """Begin without trials; `is_known` (objectives,) says which scores are, `none` are no genotypes, (0, width)."""
        self._features, self._known_of, self._is_known = features, known_of, is_known
        self.costly: np.ndarray = (~is_known).nonzero()[0]
        self.genotypes = none
        self.scores = np.zeros((0, len(is_known)))
        self.useful = np.zeros(0, bool)
        self.complete = 0
        self._models = [Surrogate(features.groups, features.prior) for _ in self.costly]
        self._use = Surrogate(features.groups, features.prior, clipped=False)

    def state(self) -> list[dict[str, Any]]:
        """Return what `restore` needs beside the trials."""
        return [model.state() for model in (*self._models, self._use)]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Go on from `state`."""
        for model, own in zip((*self._models, self._use), state, strict=True):
            model.restore(own)

    def learn(self, results: Results) -> None:
        """Take in trials as told."""
        complete = np.isfinite(results.scores).all(axis=1)
        self.complete += int(complete.sum())
        useful = complete & (results.violations <= 0)
        self.genotypes = np.concatenate([self.genotypes, results.genotypes])
        self.scores = np.concatenate([self.scores, results.scores])
        self.useful = np.append(self.useful, useful)

    def update(self, pending: np.ndarray) -> None:
        """Bring the surrogates up to date with the trials and the `pending` genotypes, (p, width)."""
        waiting = self._coordinates(pending)
        for model, objective in zip(self._models, self.costly, strict=True):
            rows = np.isfinite(self.scores[:, objective]).nonzero()[0]
            self._update(model, rows, self.scores[rows, objective], waiting)
        if not self.useful.all():
            self._update(self._use, np.arange(len(self.useful)), self.useful.astype(np.float64), waiting)

    def _update(self, model: Surrogate, rows: np.ndarray, values: np.ndarray, pending: np.ndarray) -> None:
        model.update(
            lambda some: self._coordinates(self.genotypes[rows[some]]),
            values,
            lambda count: nearness(self.scores[rows[:count]], self.useful[rows[:count]]),
            pending,
        )

    def _coordinates(self, genotypes: np.ndarray) -> np.ndarray:
        return self._features(genotypes, self._known_of(genotypes)[:, self._is_known])

    def of(self, candidates: np.ndarray) -> Expectation:
        """Return what is expected of candidates (m, width)."""
        known = self._known_of(candidates)
        coordinates = self._features(candidates, known[:, self._is_known])
        found = [model.predict(coordinates) for model in self._models]
        use = None if self.useful.all() else self._use.predict(coordinates)
        return Expectation(known, self.costly, found, use)


class Expectation:
    """Independent normal scores of candidates, and the probability that they are of use; see `Prediction`."""

    def __init__(self, known: np.ndarray, costly: np.ndarray, found: list[Prediction], use: Prediction | None) -> None:
        """Take scores (m, objectives) with the `costly` ones to be filled in from their predictions."""
        self._known, self._costly, self._found, self._use = known, costly, found, use
        self.mean: np.ndarray = known.copy()
        for objective, prediction in zip(costly, found, strict=True):
            self.mean[:, objective] = prediction.mean

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviations, shape (m, objectives), 0 where a score is known."""
        deviation = np.zeros(self.mean.shape)
        for objective, prediction in zip(self._costly, self._found, strict=True):
            deviation[:, objective] = prediction.deviation
        return deviation

    @property
    def useful(self) -> np.ndarray:
        """The probability that a candidate has a result and violates nothing, shape (m,)."""
        from scipy.special import ndtr

        if self._use is None:
            return np.ones(len(self.mean))
        probability: np.ndarray = ndtr((self._use.mean - 0.5) / np.maximum(self._use.deviation, 0.1))
        return probability

    def narrowed(self, rows: np.ndarray) -> Expectation:
        """Return what is expected of some candidates, more exactly."""
        found = [prediction.narrowed(rows) for prediction in self._found]
        use = None if self._use is None else self._use.narrowed(rows)
        return Expectation(self._known[rows], self._costly, found, use)

    def joined(self, other: Expectation) -> Expectation:
        """Return this one's candidates and then the other's."""
        found = [mine.joined(theirs) for mine, theirs in zip(self._found, other._found, strict=True)]
        use = self._use.joined(other._use) if self._use is not None and other._use is not None else None
        return Expectation(np.concatenate([self._known, other._known]), self._costly, found, use)

    def assume(self, index: int) -> None:
        """Take a candidate to be evaluated with the result that is expected."""
        for prediction in self._found:
            prediction.assume(index)


def nearness(scores: np.ndarray, useful: np.ndarray) -> np.ndarray:
    """Return how near trials are to the front, shape (n,): 0 on it, below by the part of the ranges that they lack.

    A trial lacks as much as it takes, added to each of its scores (n, k), for the front not to dominate it. Trials
    that are not useful are taken to be as near as they look, and infinitely far where a score is missing.
    """
    import moocore

    if not useful.any():
        return np.zeros(len(scores))
    span = np.ptp(scores[useful], axis=0)
    scaled = scores / np.where(span > 0, span, 1.0)
    best = scaled[useful]
    front = best[moocore.is_nondominated(best, maximise=True)]
    lacking = np.full(len(scores), -np.inf)
    for point in front:
        lacking = np.maximum(lacking, (point - scaled).min(axis=1))
    return -np.where(np.isnan(lacking), np.inf, np.maximum(lacking, 0.0))
