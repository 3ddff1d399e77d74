"""Strict reading of genotypes from outside: JSON lists and the numbers of a DNA."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spaces._canonical import keeps_rules
from spaces._columns import Column, Layout


def row_from_json(layout: Layout, values: object) -> np.ndarray:
    """Return `values` as one genotype. Raises ValueError unless it is a list that is a canonical genotype."""
    if not isinstance(values, list):
        raise ValueError(f"a genotype must be a list of {layout.width} numbers, got {_shown(values)}")
    if len(values) != layout.width:
        raise ValueError(f"a genotype of this space has {layout.width} numbers, got {len(values)}")
    for column, value in zip(layout.columns, values, strict=True):
        if column.parent < 0 or _in_force(layout, column, values):
            _check(column, value)
        elif _number(value) != column.low:
            raise ValueError(
                f"column {column.name!r} is not active in this genotype and must hold {_low(column)}, "
                f"got {_shown(value)}"
            )
    return _with_rules_kept(layout, values)


def row_from_numbers(layout: Layout, numbers: Sequence[object]) -> np.ndarray:
    """Return the genotype whose active columns hold `numbers`, in order. Raises ValueError where they do not fit."""
    values: list[object] = []
    given = iter(numbers)
    for column in layout.columns:
        if column.parent < 0 or _in_force(layout, column, values):
            values.append(next(given, None))
            _check(column, values[-1])
        else:
            values.append(_low(column))
    if next(given, None) is not None:
        raise ValueError(f"the DNA has more than the {len(values)} decisions of this space: {_shown(list(numbers))}")
    return _with_rules_kept(layout, values)


def _in_force(layout: Layout, column: Column, values: Sequence[object]) -> bool:
    """Return whether all choices above `column` are those that lead to it."""
    while column.parent >= 0:
        if values[column.parent] != column.parent_choice:
            return False
        column = layout.columns[column.parent]
    return True


def _number(value: object) -> int | float | None:
    """Return `value` if it is a plain number, None otherwise: a bool is not one."""
    return value if type(value) in (int, float) else None  # type: ignore[return-value]


def _check(column: Column, value: object) -> None:
    number = _number(value)
    if column.kind == "choice" and (number is None or number != number // 1):
        expected = f"an integer from 0 to {column.cardinality - 1}"
    elif number is None or not column.low <= number <= column.high:
        expected = f"a {'number' if column.kind == 'float' else 'choice'} from {_low(column)} to {_high(column)}"
    else:
        return
    raise ValueError(f"column {column.name!r} must hold {expected}, got {_shown(value)}")


def _low(column: Column) -> int | float:
    return 0 if column.kind == "choice" else column.low


def _high(column: Column) -> int | float:
    return column.cardinality - 1 if column.kind == "choice" else column.high


def _with_rules_kept(layout: Layout, values: Sequence[object]) -> np.ndarray:
    """Return checked `values` as a row. Raises ValueError where a `manyof` is not distinct or sorted as it must be."""
    row = np.array(values, layout.dtype)
    for group in layout.ruled:
        first = layout.columns[group.start]
        if _in_force(layout, first, values) and not keeps_rules(group, row[None, group.choices])[0]:
            rule = " and ".join(word for word, on in (("distinct", group.distinct), ("sorted", group.sorted)) if on)
            names = ", ".join(column.name for column in layout.columns[group.choices])
            raise ValueError(f"columns {names} must hold {rule} choices, got {row[group.choices].astype(int).tolist()}")
    return row


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
