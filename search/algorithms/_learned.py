"""What preparations and hardware models tell an algorithm of a space: learned distributions, additive budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace, Part

LogProbabilities = tuple[np.ndarray, ...]
"""Log-probabilities of each column's choices: one float64 array (choices,) a column; an empty one for a float."""

UNNORMALISED = 1e-3
"""How far the sum of a column's probabilities may lie from 1."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on a cost that adds up over columns: constant + the sum of terms[column][choice] <= bound.

    Columns that are not in force hold their first choice, whose term is 0.

    Attributes:
      constant: what no decision changes.
      terms: one float64 array (choices,) a column.
      bound: inclusive.
    """

    constant: float
    terms: tuple[np.ndarray, ...]
    bound: float


def uniform(space: GenotypeSpace) -> LogProbabilities:
    """Return the distribution in which a column's choices are equally probable."""
    return tuple(np.full(each.cardinality, -np.log(max(each.cardinality, 1))) for each in space.columns)


def checked(space: GenotypeSpace, distribution: LogProbabilities) -> LogProbabilities:
    """Return a distribution over the space's columns as float64, each column's probabilities adding up to 1.

    Raises ValueError for another number of columns or choices, for NaN, and for what adds up to something else.
    """
    if len(distribution) != space.width:
        raise ValueError(f"a distribution over {len(distribution)} columns is not one over the space's {space.width}")
    found = []
    for column, given in zip(space.columns, distribution, strict=True):
        logs = np.asarray(given, np.float64)
        if logs.shape != (column.cardinality,):
            raise ValueError(
                f"the distribution of {column.name} has shape {logs.shape}: expected ({column.cardinality},)"
            )
        total = np.exp(logs).sum() if column.cardinality else 1.0
        if not abs(total - 1) <= UNNORMALISED:
            raise ValueError(f"the probabilities of {column.name} add up to {total:g}: expected log-probabilities of 1")
        found.append(logs - np.log(total))
    return tuple(found)


def sample(space: GenotypeSpace, distribution: LogProbabilities, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return valid genotypes, shape (count, width): each column by its distribution, floats uniform on their scale.

    What breaks the rules of a `manyof` is repaired after drawing.
    """
    rows = space.sample(count, rng).astype(np.float64)
    uniform = rng.random(rows.shape)
    for index, logs in enumerate(distribution):
        if len(logs):
            rows[:, index] = np.searchsorted(np.exp(logs).cumsum()[:-1], uniform[:, index], side="right")
    return space.repair(rows)


def of_part(distributions: tuple[LogProbabilities, ...], part: Part) -> tuple[LogProbabilities, ...]:
    """Return distributions over the columns of a part, of those over the whole space."""
    return tuple(tuple(each[column] for column in part.columns.tolist()) for each in distributions)


def independent(space: GenotypeSpace) -> bool:
    """Return whether columns are choices that no rule of a `manyof` binds to each other: their product is the space."""
    groups: dict[int, list[int]] = {}
    for index, column in enumerate(space.columns):
        if column.kind != "choice":
            return False
        if column.group >= 0 and column.cardinality > 1:
            groups.setdefault(column.group, []).append(index)
    return all(_free(space, columns) for columns in groups.values())


def _free(space: GenotypeSpace, columns: list[int]) -> bool:
    """Return whether positions of a `manyof` may have equal choices, and descending ones."""
    rows = np.zeros((2, space.width), space.dtype)
    rows[1, columns[0]] = 1
    kept = space.repair(rows, keep_inactive=True)
    return bool((kept[:, columns] == rows[:, columns]).all())
