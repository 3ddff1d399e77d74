"""A whole space's measured latencies without most of their noise: an analysis of variance, shrunk term by term.

Every network of a product of choices is measured once, so latencies are the exact sum of one term for each set of
decisions (Fisher's analysis of variance of a full factorial design). Terms of all or all but one decisions are taken
for noise; each other term is shrunk by what share of its mean square the noise explains (the positive-part rule of
James and Stein, 1961, a term at a time).
"""

from __future__ import annotations

import numpy as np

LEAST_DECISIONS = 3
"""With fewer there is no term that could be taken for noise."""


def smoothed(latencies: np.ndarray, cardinalities: tuple[int, ...]) -> np.ndarray:
    """Return latencies (n,) without most of their noise; n is the product of `cardinalities`, the last fastest.

    Returned as they are where there are fewer than three decisions with a choice.
    """
    cardinalities = tuple(count for count in cardinalities if count > 1)
    if len(cardinalities) < LEAST_DECISIONS:
        return latencies
    bases = [_contrasts(count) for count in cardinalities]
    terms = _turned(latencies.reshape(cardinalities), [basis.T for basis in bases])
    of = _decisions_of(cardinalities)
    order = np.array([int(code).bit_count() for code in range(2 ** len(cardinalities))])
    squares = np.bincount(of.ravel(), terms.ravel() ** 2, len(order))
    sizes = np.bincount(of.ravel(), minlength=len(order))
    noisy = order >= order[sizes > 0].max() - 1
    noise = squares[noisy].sum() / sizes[noisy].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.nan_to_num(np.maximum(0.0, 1.0 - noise * sizes / squares))
    kept[noisy], kept[0] = 0.0, 1.0
    return _turned(terms * kept[of], bases).ravel()


def _contrasts(count: int) -> np.ndarray:
    """Return an orthogonal matrix (count, count) whose first column is constant."""
    start = np.eye(count)
    start[:, 0] = 1.0
    return np.linalg.qr(start)[0]


def _turned(values: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """Return `values` with each axis multiplied by its matrix."""
    for axis, matrix in enumerate(matrices):
        values = np.moveaxis(np.tensordot(matrix, values, (1, axis)), 0, axis)
    return values


def _decisions_of(cardinalities: tuple[int, ...]) -> np.ndarray:
    """Return for each coefficient the decisions that it is of, as bits: 0 is the mean's."""
    above = np.indices(cardinalities) > 0
    bits = 1 << np.arange(len(cardinalities))
    return np.tensordot(bits, above, 1)
