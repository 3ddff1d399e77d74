"""Which row of each table a genotype reads, as numbers of the rows of all tables one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Protocol

import numpy as np

from search.costing.merging import Table

PAIR = np.dtype("<u2")
"""Two columns of one byte read as one number: the first and 256 times the second."""

MOST_PAIRED = 1 << 16
"""Rows of paired tables, of which most are never read."""


class TableRows(Protocol):
    """Tables laid out as rows, and where genotypes find theirs.

    Attributes:
      values: the rows of each table, (rows, t).
    """

    values: list[np.ndarray]

    def scratch(self, size: int) -> tuple[np.ndarray, ...]:
        """Return memory for `write` of up to `size` genotypes at a time."""

    def write(self, genotypes: np.ndarray, found: np.ndarray, scratch: tuple[np.ndarray, ...]) -> None:
        """Write the numbers of the rows that genotypes (n, width) in bounds read to `found`, (n, tables) int32."""


class RowsByWeights:
    """Rows of tables of any columns: each column's value times its stride."""

    def __init__(self, tables: Sequence[Table], width: int) -> None:
        self.values = [table.values.reshape(table.rows, -1) for table in tables]
        weights = np.zeros((width, len(tables)), np.float32)
        for index, table in enumerate(tables):
            shape = table.values.shape[:-1]
            weights[list(table.columns), index] = [prod(shape[at + 1 :]) for at in range(len(shape))]
        self._used = np.flatnonzero(weights.any(axis=1))
        self._weights, self._whole = weights[self._used], len(self._used) == width
        self._starts = starts_of(self.values).astype(np.float32)

    def scratch(self, size: int) -> tuple[np.ndarray, ...]:
        """Return memory for values and rows in single precision, and the tables' first rows, repeated."""
        columns, tables = self._weights.shape
        starts = np.tile(self._starts, (size, 1))
        return np.empty((size, columns), np.float32), np.empty((size, tables), np.float32), starts

    def write(self, genotypes: np.ndarray, found: np.ndarray, scratch: tuple[np.ndarray, ...]) -> None:
        """Write the numbers of rows; below 2^24, single precision counts exactly."""
        values, rows, starts = (each[: len(genotypes)] for each in scratch)
        np.copyto(values, genotypes if self._whole else genotypes[:, self._used])
        np.matmul(values, self._weights, out=rows)
        rows += starts
        np.copyto(found, rows, casting="unsafe")


class RowsByPairs:
    """Rows of tables of two neighbouring columns of a byte each, which are read as one number, without arithmetic."""

    def __init__(self, tables: Sequence[Table], sides: Sequence[int]) -> None:
        """Add up tables by pairs of columns, which have so many values each."""
        terms = tables[0].values.shape[-1]
        self.values = []
        for pair, (low, high) in enumerate(zip(sides[::2], sides[1::2], strict=True)):
            rows = np.full((high, 256, terms), np.nan)
            rows[:, :low] = 0.0
            for table in tables:
                if _pair(table) == pair:
                    shape = [side if 2 * pair + at in table.columns else 1 for at, side in enumerate((low, high))]
                    rows[:, :low] += table.values.reshape(*shape, terms).swapaxes(0, 1)
            self.values.append(rows.reshape(-1, terms)[: 256 * (high - 1) + low])
        self._starts = starts_of(self.values).astype(np.int32)

    @classmethod
    def suits(cls, tables: Sequence[Table], sides: Sequence[int], dtype: np.dtype) -> bool:
        """Return whether each table has columns of one pair alone, and genotypes are bytes, in pairs and small."""
        in_pairs = len(sides) % 2 == 0 and all(_pair(table) >= 0 for table in tables)
        return in_pairs and dtype == np.uint8 and 256 * sum(sides[1::2]) <= MOST_PAIRED

    def scratch(self, size: int) -> tuple[np.ndarray, ...]:
        """Return the tables' first rows, repeated."""
        return (np.tile(self._starts, (size, 1)),)

    def write(self, genotypes: np.ndarray, found: np.ndarray, scratch: tuple[np.ndarray, ...]) -> None:
        """Write the numbers of rows; genotypes must lie row after row in memory."""
        np.copyto(found, genotypes.view(PAIR))
        found += scratch[0][: len(genotypes)]


def starts_of(values: Sequence[np.ndarray]) -> np.ndarray:
    """Return the first row of each table where all lie one below the other."""
    return np.cumsum([0, *(len(each) for each in values[:-1])])


def _pair(table: Table) -> int:
    """Return the number of the pair that holds a table's columns, 0 where it has none; -1 if there is no such pair."""
    pairs = {column // 2 for column in table.columns} or {0}
    return pairs.pop() if len(pairs) == 1 else -1
