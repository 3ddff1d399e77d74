"""Picks from many objectives: fronts of metrics, non-dominated ranks, the knee of a front, the best within bounds.

Everywhere `points` have shape (n, k), float64, and larger is better (see `search.objectives.scores`); a row with a NaN
or an infinity is never picked. Fronts of points and hypervolume are in `search.objectives`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search.objectives import Objective, nondominated
from search.trials import TrialState, TrialTable

NO_RANK = -1
"""The rank of a row that is not finite."""


def front_of(table: TrialTable, objectives: Sequence[Objective]) -> np.ndarray:
    """Return which of some trials are on the front of those among them that completed: shape (n,), bool; ties all are.

    A trial that lacks the metric of an objective is on no front.
    """
    rows = np.flatnonzero(table.states == TrialState.COMPLETED)
    unknown = np.full(len(table), np.nan)
    columns = [objective.sign * table.metrics.get(objective.metric, unknown)[rows] for objective in objectives]
    found = np.zeros(len(table), bool)
    found[rows] = nondominated(np.stack(columns, axis=1))
    return found


def nondominated_ranks(points: np.ndarray) -> np.ndarray:
    """Return which front each of `points` is on once the better fronts are taken away: shape (n,), int64, from 0.

    Equal points are on the same front; rows that are not finite have rank -1.
    """
    import moocore

    ranks = np.full(len(points), NO_RANK, np.int64)
    finite = np.isfinite(points).all(axis=1)
    if finite.any():  # moocore ranks two objectives or more
        ranks[finite] = moocore.pareto_rank(np.repeat(points[finite], 1 + (points.shape[1] < 2), axis=1), maximise=True)
    return ranks


def knee(points: np.ndarray) -> int | None:
    """Return the index of the front's knee: its point with the largest sum of objectives scaled to the front's range.

    Of two objectives that is the point farthest above the line between the front's two ends (Das, Structural
    Optimization 1999). An objective in which the front has no range adds nothing. Of equal sums the first point is
    taken; None if no point is finite.
    """
    front = np.flatnonzero(nondominated(points))
    if not len(front):
        return None
    low, high = points[front].min(axis=0), points[front].max(axis=0)
    scaled = (points[front] - low) / np.where(high > low, high - low, 1.0)
    return int(front[scaled.sum(axis=1).argmax()])


def best_within(points: np.ndarray, objective: int, bounds: Mapping[int, float]) -> int | None:
    """Return the index of the best of `points` in one objective whose others reach `bounds`; None if there is none.

    `bounds` gives the least score, inclusive, of some objectives by their column: the epsilon-constraint method
    (Haimes, Lasdon and Wismer, IEEE Trans. SMC 1971). Of points that are equal in `objective` one that no other of
    them dominates is taken, and the first of those. Raises ValueError for a column that `points` do not have and for a
    bound that is NaN.
    """
    _check_columns(points.shape[1], objective, bounds)
    allowed = np.isfinite(points).all(axis=1)
    for column, least in bounds.items():
        allowed &= points[:, column] >= least
    if not allowed.any():
        return None
    best = np.flatnonzero(allowed & (points[:, objective] == points[allowed, objective].max()))
    return int(best[nondominated(points[best]).argmax()])


def _check_columns(width: int, objective: int, bounds: Mapping[int, float]) -> None:
    for column in (objective, *bounds):
        if not 0 <= column < width:
            raise ValueError(f"there is no objective {column}: expected one from 0 to {width - 1}")
    for column, least in bounds.items():
        if np.isnan(least):
            raise ValueError(f"the bound of objective {column} is {least}: expected a number")
