"""Metrics of genotypes from tables: found by probing, filled as they are asked for, packed once they are full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from hardware_models._base import AdditiveModel
from search.costing.checks import Checks
from search.costing.discovery import discover
from search.costing.domain import Domain, NotCompilableError
from search.costing.merging import merged, simplified
from search.costing.packed import PackedSums
from search.costing.probe import OutOfBudgetError, Probe
from search.costing.rows import RowsByPairs, RowsByWeights, TableRows
from search.costing.tables import LocalTables

PACKED_AFTER = 500_000
"""Genotypes from which on full tables are packed: it takes PyTorch, whose import takes seconds."""

CHUNK = 8192
"""Genotypes whose sums are turned into metrics at a time."""

Slow = Callable[[np.ndarray], np.ndarray]
"""Genotypes (n, width) -> metrics (n, k), from each one's operators."""


class CompiledCosts:
    """Metrics of a space's genotypes by additive models, from tables of what decides together."""

    def __init__(self, domain: Domain, probe: Probe, models: Sequence[AdditiveModel], slow: Slow) -> None:
        """Find out what decides together, within the probe's budget, and fill the tables as far as it reaches.

        Raises:
          OutOfBudgetError: when the budget does not reach for a structure.
          NotCompilableError: for spaces whose operators hang on floats, or on too many decisions at once.
        """
        self._probe, self._models, self._slow = probe, models, slow
        self._tables = LocalTables(discover(domain, probe), probe)
        ends = np.cumsum([0, *probe.widths]).tolist()
        self._slices = [slice(start, stop) for start, stop in pairwise(ends)]
        self._terms, self._space = ends[-1], domain.space
        self._metrics = sum(len(model.metrics) for model in models)
        self._packed: PackedSums | None = None
        self._checks = Checks(slow)
        self._fill(self._tables.rest())

    @property
    def open(self) -> int:
        """How many cells of the tables are not filled."""
        return self._tables.open

    @property
    def packed(self) -> bool:
        """Whether sums are taken from packed tables."""
        return self._packed is not None

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the metrics of canonical genotypes (n, width) in bounds, (n, k).

        Raises:
          MiscompiledError: when one that was checked differs from what its operators cost.
          Exception: what a model raises for a genotype's operators.
        """
        self._probe.budget += len(rows)
        costs = self._from_tables(rows) if self._packed is None else self._totals(self._packed(rows))
        self._checks(rows, costs)
        return costs

    def _from_tables(self, rows: np.ndarray) -> np.ndarray:
        sums = self._tables(rows)
        empty = np.isnan(sums[:, -1])
        if empty.any():
            self._fill(self._tables.empty(rows[empty]))
            sums = self._tables(rows)
        if 0 < self.open <= self._probe.budget - self._probe.spent:
            self._fill(self._tables.rest())
        if self._checks.costed + len(rows) >= PACKED_AFTER:
            self.pack()
        costs = self._totals(sums)
        hard = np.isnan(sums[:, -1]) | (sums[:, -1] > 0)
        if hard.any():
            costs[hard] = self._slow(rows[hard])
        return costs

    def pack(self) -> None:
        """Pack the tables, unless a cell is not filled or holds an operator that a model does not know."""
        if not self.open and not np.nan_to_num(self._tables.values[:, -1]).any():
            self._packed = PackedSums(self._rows())

    def _rows(self) -> TableRows:
        tables = simplified(self._tables, self._terms)
        sides = [column.cardinality for column in self._space.columns]
        if RowsByPairs.suits(tables, sides, self._space.dtype):
            return RowsByPairs(tables, sides)
        return RowsByWeights(merged(tables), self._space.width)

    def _fill(self, cells: np.ndarray) -> None:
        try:
            self._tables.fill(cells)
        except (OutOfBudgetError, NotCompilableError):
            return  # what needs these cells is costed one by one

    def _totals(self, sums: np.ndarray) -> np.ndarray:
        """Return the metrics of all models, (n, k), from the sums (n, t) of their terms and what stands behind them."""
        given, totals = self._totals_of(sums[:CHUNK])
        if self._terms == sums.shape[1] and all(one is other for one, other in zip(totals, given, strict=True)):
            return sums
        costs = np.empty((len(sums), self._metrics))
        for start in range(0, len(sums), CHUNK):
            np.concatenate(self._totals_of(sums[start : start + CHUNK])[1], axis=1, out=costs[start : start + CHUNK])
        return costs

    def _totals_of(self, sums: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return each model's sums and what it makes of them."""
        given = [sums[:, part] for part in self._slices]
        return given, [model.total(each) for model, each in zip(self._models, given, strict=True)]
