"""Fronts of an algorithm's own points: constrained non-dominated ranks, crowding, and an archive of the best."""

from __future__ import annotations

import numpy as np

from search.algorithms._base import Results

CHUNK = 256
"""How many results are compared with an archive at a time, which bounds the memory that this takes."""


def ranks(scores: np.ndarray, violations: np.ndarray) -> np.ndarray:
    """Return the rank of each point, shape (n,), int64, 0 for the best, under constraint domination.

    Points that violate nothing are ranked by non-dominated sorting of `scores` (n, k), larger is better; then the
    others follow by their `violations` (n,), whatever their scores. Equal points share a rank. The scores of points
    that violate nothing must be finite. Source: Deb et al., IEEE TEC 2002, sections III-A and VI.
    """
    feasible = violations <= 0
    found = np.zeros(len(scores), np.int64)
    if feasible.any():
        found[feasible] = _layers(scores[feasible])
    worse = ~feasible
    if worse.any():
        first = found[feasible].max(initial=-1) + 1
        found[worse] = first + np.unique(violations[worse], return_inverse=True)[1]
    return found


def _layers(scores: np.ndarray) -> np.ndarray:
    if scores.shape[1] == 1:
        layers: np.ndarray = np.unique(-scores[:, 0], return_inverse=True)[1]
    else:
        import moocore

        layers = moocore.pareto_rank(scores, maximise=True)
    return layers


def crowding(scores: np.ndarray, fronts: np.ndarray) -> np.ndarray:
    """Return the crowding distance of each point within its front, shape (n,), larger is lonelier.

    `scores` (n, k) and `fronts` (n,), any number that the points of a front share. In each objective the two ends of
    a front get infinity, the others the gap between their neighbours over the front's range; an objective in which a
    front has no range adds nothing to those between. Of equal points each counts; the first and the last are the ends.
    Scores that are not finite count as 0. Source: Deb et al., IEEE TEC 2002, section III-B.
    """
    distance = np.zeros(len(scores))
    for column in np.where(np.isfinite(scores), scores, 0.0).T:
        order = np.lexsort((column, fronts))
        value, front = column[order], fronts[order]
        starts = np.append(True, front[1:] != front[:-1])
        ends = np.append(starts[1:], True)
        group = starts.cumsum() - 1
        span = (value[ends] - value[starts])[group]
        gap = np.append(value[1:], 0.0) - np.append(0.0, value[:-1])
        distance[order] += np.where(starts | ends, np.inf, gap / np.where(span > 0, span, 1.0))
    return distance


class Archive:
    """The best points so far: of those that violate nothing the non-dominated ones, else one of least violation.

    Attributes:
      genotypes: shape (m, width), in the order in which they joined.
      scores: shape (m, objectives), larger is better; NaN where only a violation is known.
      violation: that of all its points; infinity while there is none.
      changes: how often a point has joined.
    """

    def __init__(self, width: int, dtype: np.dtype, objectives: int, *, newer_wins: bool = False) -> None:
        """Begin empty. Of points with equal scores (or violations) the newer stays if `newer_wins`, else the older."""
        self.genotypes = np.zeros((0, width), dtype)
        self.scores = np.zeros((0, objectives))
        self.violation = np.inf
        self.changes = 0
        self._newer_wins = newer_wins

    def __len__(self) -> int:
        return len(self.genotypes)

    def learn(self, results: Results) -> None:
        """Take in results in their order; a row that has neither finite scores nor a violation is passed over."""
        usable = np.isfinite(results.scores).all(axis=1) | (results.violations > 0)
        rows = usable.nonzero()[0]
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            for row in chunk[self._may_join(results.scores[chunk], results.violations[chunk])].tolist():
                self._add(results.genotypes[row], results.scores[row], float(results.violations[row]))

    def _may_join(self, scores: np.ndarray, violations: np.ndarray) -> np.ndarray:
        """Return which rows the present points do not keep out, nor will any better ones: shape (n,), bool."""
        if not len(self) or self.violation > 0:
            return violations <= self.violation
        keeps_out = np.ones((len(scores), len(self)), bool)
        differs = np.zeros_like(keeps_out)
        for mine, theirs in zip(self.scores.T, scores.T, strict=True):  # by column: many times faster than by row
            keeps_out &= mine >= theirs[:, None]
            if self._newer_wins:
                differs |= mine != theirs[:, None]
        if self._newer_wins:
            keeps_out &= differs
        fits: np.ndarray = (violations <= 0) & ~keeps_out.any(axis=1)
        return fits

    def _add(self, genotype: np.ndarray, score: np.ndarray, violation: float) -> None:
        if violation > 0:
            joins = violation < self.violation or (violation == self.violation and self._newer_wins)
        else:
            joins = bool(self._may_join(score[None, :], np.zeros(1))[0])
        if joins:
            stay = np.any(self.scores > score, axis=1) & (violation <= 0 and self.violation <= 0)
            self.genotypes = np.concatenate([self.genotypes[stay], genotype[None, :]])
            self.scores = np.concatenate([self.scores[stay], score[None, :]])
            self.violation = max(violation, 0.0)
            self.changes += 1
