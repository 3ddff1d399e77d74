"""Tables added together into fewer and larger ones, so that a sum reads fewer of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from search.costing.tables import LocalTables

MOST_ROWS = 1024
"""Of a table that is made of several, so that all of them stay in a core's cache."""


@dataclass(frozen=True, slots=True)
class Table:
    """What some columns add together.

    Attributes:
      columns: ascending.
      values: shape (*cardinalities of the columns, t); NaN where no genotype is.
    """

    columns: tuple[int, ...]
    values: np.ndarray

    @property
    def rows(self) -> int:
        """The number of cells."""
        return prod(self.values.shape[:-1])


def merged(tables: Sequence[Table]) -> list[Table]:
    """Return few tables whose sum is that of `tables`, of which there must be one or more."""
    found = [Table((), np.zeros(tables[0].values.shape[-1]))]
    for table in sorted(tables, key=lambda each: -each.rows):
        sums = [_sum(each, table) if _rows(each, table) <= max(each.rows, MOST_ROWS) else None for each in found]
        growths = [np.inf if each is None else each.rows - old.rows for each, old in zip(sums, found, strict=True)]
        best = int(np.argmin(growths))
        if (grown := sums[best]) is None:
            found.append(table)
        else:
            found[best] = grown
    return found


def _rows(first: Table, second: Table) -> int:
    """Return how many rows the sum of two tables has."""
    sides = {**_sides(first), **_sides(second)}
    return prod(sides.values())


def _sides(table: Table) -> dict[int, int]:
    return dict(zip(table.columns, table.values.shape, strict=False))


def _sum(first: Table, second: Table) -> Table:
    columns = tuple(sorted({*first.columns, *second.columns}))
    return Table(columns, _spread(first, columns) + _spread(second, columns))


def _spread(table: Table, columns: Sequence[int]) -> np.ndarray:
    """Return a table's values with a side of 1 for each of `columns` that it lacks."""
    sides = _sides(table)
    return table.values.reshape(*(sides.get(column, 1) for column in columns), -1)


def simplified(tables: LocalTables, terms: int) -> list[Table]:
    """Return the base and all `tables`, filled, of the first `terms` terms, without columns that make no difference."""
    found = [Table((), tables.base[:terms])]
    for part, shape, start in zip(tables.parts, tables.shapes, tables.starts, strict=False):
        cells = slice(start, start + prod(shape))
        order = np.argsort(part)
        values: np.ndarray = tables.values[cells, :terms].reshape(*shape, terms).transpose(*order, len(part))
        checks: np.ndarray = tables.checks[cells].reshape(*shape, -1).transpose(*order, len(part))
        columns = [part[at] for at in order]
        for axis in reversed(range(len(part))):
            if _constant(checks, axis) and _constant(np.isnan(values), axis):
                values, checks = np.take(values, 0, axis), np.take(checks, 0, axis)
                del columns[axis]
        found.append(Table(tuple(columns), values))
    return found


def _constant(values: np.ndarray, axis: int) -> bool:
    return bool((values == np.take(values, [0], axis)).all())
