"""Sums of table rows at the speed of single precision, as exact as double: numbers in pieces that add without error.

A piece is a whole multiple of a power of two, small enough that a sum of such pieces has at most 24 binary digits:
single precision adds them exactly, in any order. `torch.nn.functional.embedding_bag` sums rows in single precision
five times as fast as anything that NumPy, SciPy or PyTorch have for double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from search.costing.merging import Table

DIGITS = 24
"""Binary digits of single precision."""

ENOUGH, MOST_PIECES = 2, 3
"""Pieces of a number: with three of them, what is left is below the rounding of double precision."""

TOLERANCE = 1e-11
"""What two pieces may be off by, relative to the least possible sum."""

SMALLEST = 2.0**-40
"""Sums below it are taken to be of this size: pieces would else leave the range of single precision."""

CHUNK = 8192


class PackedSums:
    """Sums of terms of genotypes from few tables, tens of millions a second."""

    def __init__(self, tables: Sequence[Table], width: int) -> None:
        """Pack tables for genotypes of `width` columns."""
        import torch

        self._torch = torch
        values = [table.values.reshape(table.rows, -1) for table in tables]
        starts = np.cumsum([0, *(len(each) for each in values[:-1])])
        pieces = split(values)
        self._terms, self._pieces = values[0].shape[1], len(pieces)
        packed = np.stack(pieces, axis=2).reshape(len(pieces[0]), -1)  # the pieces of a number side by side
        self._rows = torch.from_numpy(np.ascontiguousarray(packed))
        self._weights = np.zeros((width, len(tables)), np.float32)
        for index, table in enumerate(tables):
            shape = table.values.shape[:-1]
            self._weights[list(table.columns), index] = [prod(shape[at + 1 :]) for at in range(len(shape))]
        self._used = np.flatnonzero(self._weights.any(axis=1))
        self._starts = np.tile(starts.astype(np.float32), (CHUNK, 1))
        self._bags = torch.arange(0, CHUNK * len(tables), len(tables), dtype=torch.int32)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the sums of canonical genotypes (n, width) in bounds, (n, t) float64."""
        sums = np.empty((len(rows), self._terms))
        for start in range(0, len(rows), CHUNK):
            self._sum(rows[start : start + CHUNK], sums[start : start + CHUNK])
        return sums

    def _sum(self, rows: np.ndarray, sums: np.ndarray) -> None:
        if len(self._used) < rows.shape[1]:
            cells = rows[:, self._used].astype(np.float32) @ self._weights[self._used]
        else:
            cells = rows.astype(np.float32) @ self._weights
        cells += self._starts[: len(rows)]  # below 2^24, where single precision counts exactly
        indices = self._torch.from_numpy(cells.astype(np.int32).reshape(-1))
        with self._torch.inference_mode():
            found = self._torch.nn.functional.embedding_bag(indices, self._rows, self._bags[: len(rows)], mode="sum")
        pieces = found.numpy().astype(np.float64).reshape(-1, self._pieces)
        flat = sums.reshape(-1)
        np.add(pieces[:, 0], pieces[:, 1], out=flat)
        if self._pieces == MOST_PIECES:
            flat += pieces[:, 2]


def split(values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return pieces that add up to tables, of which one row each is summed: two or three, (all rows, t) float32 each.

    Sums of pieces are exact. Two are enough where they keep every sum within `TOLERANCE` of itself. NaN stays NaN.

    Args:
      values: tables (rows, t) float64, none without a number in any column.
    """
    left, tables = np.concatenate(values), np.cumsum([len(each) for each in values])[:-1]
    least = np.maximum(sum(np.nanmin(each, axis=0) for each in values), 0.0)
    pieces: list[np.ndarray] = []
    while len(pieces) < MOST_PIECES:
        largest = sum(np.nanmax(np.abs(each), axis=0) for each in np.split(left, tables))
        if len(pieces) == ENOUGH and (largest <= TOLERANCE * least).all():
            break
        step = np.exp2(np.ceil(np.log2(np.maximum(largest, SMALLEST))) - DIGITS)
        pieces.append((np.rint(left / step) * step).astype(np.float32))
        left = left - pieces[-1]
    return pieces
