"""Which decisions of a space are meant: by their names, or the first half of them; and a genotype by values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from search.algorithms._float_scale import value_at

if TYPE_CHECKING:
    from spaces.genotype import Column, GenotypeSpace


def named(space: GenotypeSpace, paths: str | Sequence[str]) -> np.ndarray:
    """Return which columns lie at or below these paths, shape (width,), bool; without any, the first half.

    A path is the beginning of a column's name that ends where a `.` or `[` goes on, or the name itself; `*` stands for
    any text. The first half is that of the decisions that hang on no other, each with all that hangs on it; of a
    single such decision, the decision itself.
    Raises ValueError for a path that matches no column, and where all columns are meant, or none are left to choose.
    """
    paths = (paths,) if isinstance(paths, str) else tuple(paths)
    names = [column.name for column in space.columns]
    found = _first_half(space) if not paths else np.zeros(space.width, bool)
    for path in paths:
        pattern = re.compile(".*".join(map(re.escape, path.split("*"))) + r"(?=[.\[]|$)")
        here = [pattern.match(name) is not None for name in names]
        if not any(here):
            raise ValueError(f"no decision of the space is at {path!r}; there are {', '.join(names[:20])}")
        found |= here
    if not found.any() or found.all():
        raise ValueError(
            f"a space has to be split into two parts, and {', '.join(paths) or 'its first half'} is "
            f"{'all' if found.any() else 'none'} of its {space.width} decisions"
        )
    return found


def check_whole(space: GenotypeSpace, chosen: np.ndarray) -> None:
    """Raise ValueError where one of the `chosen` columns, (width,) bool, hangs on one that is not among them."""
    for index in chosen.nonzero()[0].tolist():
        above = space.columns[index].parent
        if above >= 0 and not chosen[above]:
            names = space.columns[index].name, space.columns[above].name
            raise ValueError(f"{names[0]} cannot be an outer decision without {names[1]}, which it hangs on")


def _first_half(space: GenotypeSpace) -> np.ndarray:
    roots = np.array([_root(space, index) for index in range(space.width)], np.intp)
    tops = np.unique(roots)
    if len(tops) == 1:
        return np.array([column.parent < 0 for column in space.columns], bool)
    return np.isin(roots, tops[: (len(tops) + 1) // 2])


def _root(space: GenotypeSpace, index: int) -> int:
    """Return the first column of the decision that a column hangs on: itself, or its `manyof`'s first position."""
    column = space.columns[index]
    while column.parent >= 0:
        index, column = column.parent, space.columns[column.parent]
    if column.group < 0:
        return index
    return next(i for i, other in enumerate(space.columns) if other.group == column.group)


def genotype_of(space: GenotypeSpace, values: Mapping[str, object]) -> np.ndarray:
    """Return the genotype that has these values, by the names of columns; it is valid once it is repaired.

    A choice that is not named is the first one, a float the middle of its scale.
    Raises ValueError for an unknown name, and for a value that is none of a choice's labels or beyond a float's bounds.
    """
    names = [column.name for column in space.columns]
    unknown = [name for name in values if name not in names]
    if unknown:
        raise ValueError(f"no decision of the space is called {unknown[0]!r}; there are {', '.join(names[:20])}")
    return np.array([_number(column, values) for column in space.columns]).astype(space.dtype)


def _number(column: Column, values: Mapping[str, object]) -> float:
    if column.name not in values:
        return float(value_at(column, np.array([0.5]))[0]) if column.kind == "float" else 0.0
    value = values[column.name]
    if column.kind == "choice":
        labels = [label for label in (repr(value), str(value)) if label in column.choices]
        if not labels:
            raise ValueError(f"{column.name} cannot be {value!r}: expected one of {', '.join(column.choices)}")
        return float(column.choices.index(labels[0]))
    if isinstance(value, bool) or not isinstance(value, int | float) or not column.low <= value <= column.high:
        raise ValueError(f"{column.name} cannot be {value!r}: expected a number from {column.low} to {column.high}")
    return float(value)
