"""Expected hypervolume improvement, exact for independent normal objectives (Emmerich et al. 2011; Yang et al. 2019).

The region that a front leaves undominated is cut into boxes; the expected volume that a new point adds in a box is a
product of one-dimensional expectations. A known objective is a normal of no deviation. With one objective it is the
expected improvement (Jones et al. 1998).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def boxes(front: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper corners, each (m, k), of disjoint boxes that fill what is above `reference` (k,).

    `front` has shape (n, k), 1 <= k <= 3, larger is better; points that do not exceed the reference count for nothing.
    """
    front = front[(front > reference).all(axis=1)]
    if len(reference) == 1:
        return np.maximum(front.max(axis=0, initial=reference[0]), reference)[None, :], np.array([[np.inf]])
    if len(reference) == 2:
        return _strips(front, reference)
    lower, upper = [], []
    levels = np.concatenate([reference[2:], np.unique(front[:, 2]), [np.inf]])
    for bottom, top in pairwise(levels.tolist()):
        low, high = _strips(front[front[:, 2] >= top][:, :2], reference[:2])
        lower.append(np.insert(low, 2, bottom, axis=1))
        upper.append(np.insert(high, 2, top, axis=1))
    return np.concatenate(lower), np.concatenate(upper)


def _strips(front: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes of the plane: between neighbours in the first objective, above what dominates in the second."""
    front = front[np.lexsort((front[:, 1], front[:, 0]))]
    above = np.maximum.accumulate(front[::-1, 1])[::-1]
    lower = np.stack([np.append(reference[0], front[:, 0]), np.append(above, reference[1])], axis=1)
    upper = np.stack([np.append(front[:, 0], np.inf), np.full(len(lower), np.inf)], axis=1)
    kept = upper[:, 0] > lower[:, 0]
    return lower[kept], upper[kept]


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return the expected added volume of candidates, shape (n,), for their `mean` and `deviation`, (n, k)."""
    volume: np.ndarray = np.ones((len(mean), len(lower)))
    for index in range(mean.shape[1]):
        levels, places = np.unique(np.concatenate([lower[:, index], upper[:, index]]), return_inverse=True)
        above = expected_excess(mean[:, index, None], deviation[:, index, None], levels)
        volume *= above[:, places[: len(lower)]] - above[:, places[len(lower) :]]
    total: np.ndarray = volume.sum(axis=1)
    return total


def expected_excess(mean: np.ndarray, deviation: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return E[max(y - level, 0)] for normal y, broadcast; 0 for a level of infinity. `deviation` may be 0."""
    from scipy.special import ndtr

    known = ~(deviation > 0).any()
    gap = np.where(np.isfinite(levels), mean - levels, -np.inf)
    if known:
        return np.maximum(gap, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(deviation > 0, gap / deviation, np.where(gap > 0, np.inf, -np.inf))
        density = np.exp(-0.5 * scaled**2) / np.sqrt(2 * np.pi)
        return np.where(np.isfinite(gap), np.where(gap == -np.inf, 0, gap) * ndtr(scaled) + deviation * density, 0)
