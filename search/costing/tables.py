"""Tables of what each part of a structure adds to the sums of terms, filled as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from search.costing.domain import NotCompilableError
from search.costing.probe import CHECKS, Probe
from search.costing.structure import MOST_CELLS, Structure

CHUNK = 4096
"""Genotypes at a time: what is in use then stays in a core's cache."""


class LocalTables:
    """Sums of terms of genotypes from one table for each part of a structure.

    Attributes:
      parts: the columns that each table is indexed by; its cells lie one after another, the last column fastest.
      shapes: the sides of each table.
      base: the base genotype's terms, (t,).
      values: of all tables' cells, (cells, t); NaN where a cell is not filled.
      checks: the same of check sums, (cells, 2) int64.
      open: how many cells that a genotype can fall into are not filled.
    """

    def __init__(self, structure: Structure, probe: Probe) -> None:
        """Make empty tables. Raises NotCompilableError if they would be too large or no model knows any operator."""
        self._structure, self._probe = structure, probe
        space, variables = structure.domain.space, structure.domain.variables
        self.parts: list[tuple[int, ...]] = []
        for part in structure.parts:
            self.parts.append(tuple(column for variable in part for column in variables[variable].columns))
        self.shapes = [tuple(space.columns[column].cardinality for column in part) for part in self.parts]
        sizes = [prod(shape) for shape in self.shapes]
        if sum(sizes) > MOST_CELLS:
            raise NotCompilableError(f"tables of {sum(sizes):,} cells are too large")
        self.base: np.ndarray = probe.terms(structure.base[None])[0]
        if not probe.widths:
            raise NotCompilableError("no operator is known to every model")
        self.starts: list[int] = np.cumsum([0, *sizes]).tolist()
        self.values = np.full((sum(sizes), len(self.base)), np.nan)
        self.checks = np.zeros((sum(sizes), CHECKS), np.int64)
        self._weights = np.zeros((len(self.parts), space.width), np.float32)
        for index, (part, shape) in enumerate(zip(self.parts, self.shapes, strict=True)):
            self._weights[index, list(part)] = [prod(shape[at + 1 :]) for at in range(len(shape))]
        self._used = np.flatnonzero(self._weights.any(axis=0))
        self._wanted = np.zeros(sum(sizes), bool)
        for cells in self._reachable():
            self._wanted[cells] = True
        self.open = int(self._wanted.sum())

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the sums of canonical genotypes (n, width) in bounds, (n, t); NaN where a cell is not filled."""
        sums = np.empty((len(rows), len(self.base)))
        for start in range(0, len(rows), CHUNK):
            block = sums[start : start + CHUNK]
            block[:] = self.base
            for cells in self._cells(rows[start : start + CHUNK]):
                block += self.values.take(cells, axis=0)
        return sums

    def empty(self, rows: np.ndarray) -> np.ndarray:
        """Return the cells that genotypes fall into and that are not filled, ascending."""
        cells = np.unique(self._cells(rows))
        found: np.ndarray = cells[np.isnan(self.values[cells, 0])]
        return found

    def rest(self) -> np.ndarray:
        """Return all cells that a genotype can fall into and that are not filled, ascending."""
        return np.flatnonzero(self._wanted & np.isnan(self.values[:, 0]))

    def fill(self, cells: np.ndarray) -> None:
        """Fill cells that are not filled. Raises OutOfBudgetError, and then fills only some."""
        owners = np.searchsorted(self.starts, cells, side="right") - 1
        for part in np.unique(owners):
            mine = cells[owners == part]
            rows = np.repeat(self._structure.base[None], len(mine), axis=0)
            indices = np.unravel_index(mine - self.starts[part], self.shapes[part])
            for column, index in zip(self.parts[part], indices, strict=True):
                rows[:, column] = index
            above, below = self._structure.above(rows, part), self._structure.below(rows, part)
            checks = self._probe.checks(above) - self._probe.checks(below)
            self.checks[mine], self.values[mine] = checks, self._probe.terms(above) - self._probe.terms(below)
            self.open -= int(self._wanted[mine].sum())

    def _cells(self, rows: np.ndarray) -> np.ndarray:
        """Return each genotype's cell in each table, (tables, n). Single precision holds numbers of cells exactly."""
        rows = rows if len(self._used) == rows.shape[1] else rows[:, self._used]
        weights = self._weights if len(self._used) == self._weights.shape[1] else self._weights[:, self._used]
        cells: np.ndarray = (weights @ rows.T.astype(np.float32)).astype(np.intp)
        cells += np.array(self.starts[:-1], np.intp)[:, None]
        return cells

    def _reachable(self) -> Iterator[np.ndarray]:
        """Yield the cells of each table but those of a `manyof`'s choices that its rules forbid."""
        variables = self._structure.domain.variables
        for part, shape, start in zip(self._structure.parts, self.shapes, self.starts, strict=False):
            cells, at = np.full(1, start), 0
            for variable in part:
                values = variables[variable].values
                strides = [prod(shape[position + 1 :]) for position in range(at, at + values.shape[1])]
                cells, at = (cells[:, None] + values @ strides).reshape(-1), at + values.shape[1]
            yield cells
