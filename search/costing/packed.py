"""Sums of table rows at the speed of single precision, as exact as double: numbers in pieces that add without error.

A piece is a whole multiple of a power of two, small enough that a sum of such pieces has at most 24 binary digits:
single precision adds them exactly, in any order. `torch.nn.functional.embedding_bag` sums rows in single precision
five times as fast as anything that NumPy, SciPy or PyTorch have for double precision.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.costing.rows import TableRows

DIGITS = 24
"""Binary digits of single precision."""

ENOUGH, MOST_PIECES = 2, 3
"""Pieces of a number: with three of them, what is left is below the rounding of double precision."""

TOLERANCE = 1e-11
"""What two pieces may be off by, relative to the least possible sum."""

SMALLEST = 2.0**-40
"""Sums below it are taken to be of this size: pieces would else leave the range of single precision."""

CHUNK_NUMBERS = 1 << 16
"""Numbers that are summed at a time: what is in use then stays in a core's cache."""


class PackedSums:
    """Sums of terms of genotypes from few tables, tens of millions a second."""

    def __init__(self, rows: TableRows) -> None:
        import torch

        self._torch, self._of = torch, rows
        pieces = split(rows.values)
        self._terms, self._pieces = rows.values[0].shape[1], len(pieces)
        packed = np.stack(pieces, axis=2).reshape(len(pieces[0]), -1)  # the pieces of a number side by side
        self._rows, self._tables = torch.from_numpy(np.ascontiguousarray(packed)), len(rows.values)
        self._chunk = max(CHUNK_NUMBERS // packed.shape[1], 256)
        self._bags = torch.arange(0, self._chunk * self._tables, self._tables, dtype=torch.int32)

    def __call__(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the sums of canonical genotypes (n, width) in bounds, row after row in memory: (n, t) float64."""
        size = min(len(genotypes), self._chunk)  # asking for memory over and over would cost more than the sums
        scratch, indices = self._of.scratch(size), np.empty((size, self._tables), np.int32)
        pieces, sums = np.empty((size, self._terms * self._pieces)), np.empty((len(genotypes), self._terms))
        flat, embedding_bag = self._torch.from_numpy(indices.reshape(-1)), self._torch.nn.functional.embedding_bag
        with self._torch.inference_mode():
            for start in range(0, len(genotypes), self._chunk):
                some = genotypes[start : start + self._chunk]
                count = len(some)
                self._of.write(some, indices[:count], scratch)
                bags = embedding_bag(flat[: count * self._tables], self._rows, self._bags[:count], mode="sum")
                np.copyto(pieces[:count], bags.numpy())
                self._join(pieces[:count], sums[start : start + count].reshape(-1))
        return sums

    def _join(self, pieces: np.ndarray, sums: np.ndarray) -> None:
        parts = pieces.reshape(-1, self._pieces)
        np.add(parts[:, 0], parts[:, 1], out=sums)
        if self._pieces == MOST_PIECES:
            sums += parts[:, 2]


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
