"""Whether genotypes are in the bounds of their columns: tables are read without looking again."""

from __future__ import annotations

import numpy as np

from spaces.genotype import GenotypeSpace

CHUNK = 8192


class Bounds:
    """The lowest and highest value of each column of a space."""

    def __init__(self, space: GenotypeSpace) -> None:
        self._columns = space.columns
        self._floats = space.dtype.kind == "f"
        self._lows = np.array([column.low for column in space.columns], space.dtype)
        self._highs = np.array([column.high for column in space.columns], space.dtype)
        self._tiled: np.ndarray | None = None

    def check(self, rows: np.ndarray) -> None:
        """Raise ValueError, naming the column, unless rows (n, width) in the space's dtype are in bounds."""
        if not self._inside(rows):
            row, column = np.argwhere(~((rows >= self._lows) & (rows <= self._highs)))[0].tolist()
            low, high = self._lows[column].item(), self._highs[column].item()
            raise ValueError(
                f"genotype {rows[row].tolist()}: {self._columns[column].name} is {rows[row, column].item()}, "
                f"expected {low} to {high}"
            )

    def _inside(self, rows: np.ndarray) -> bool:
        if not rows.size or self._floats:
            return bool(((rows >= self._lows) & (rows <= self._highs)).all())
        if rows.max() <= self._highs.min():
            return True
        if self._tiled is None:  # comparing rows as long as this is several times as fast as comparing short ones
            self._tiled = np.tile(self._highs, CHUNK)
        flat, size = rows.reshape(-1), self._tiled.size
        return all((part <= self._tiled[: part.size]).all() for part in np.split(flat, range(size, flat.size, size)))
