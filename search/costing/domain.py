"""A space as a product of variables that take their values independently: what probing varies one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from spaces.genotype import GenotypeSpace

MOST_TUPLES = 4096
"""What a `manyof` with rules may hold at most: its positions are one variable, whose values are listed."""

LIVELY_DRAWS = 64
"""Random genotypes of which the one with the most decisions in force is where probing starts from."""


class NotCompilableError(ValueError):
    """A space whose costs cannot be compiled; they are then remembered genotype by genotype."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One decision, or all positions of a `manyof` whose choices are bound to each other (distinct or sorted).

    Attributes:
      columns: of the genotype.
      values: what these columns may hold together, shape (m, columns), int64; m is 0 for a float.
    """

    columns: tuple[int, ...]
    values: np.ndarray


class Domain:
    """The product of a space's variables. Any combination of values is a genotype, once it is repaired.

    Attributes:
      space: the space.
      variables: in the order of their first columns.
      owner: the variable of each column, shape (width,).
    """

    def __init__(self, space: GenotypeSpace) -> None:
        """List the variables. Raises NotCompilableError where a `manyof` with rules has too many values."""
        self.space = space
        self.variables: tuple[Variable, ...] = ()
        for columns in _blocks(space):
            self.variables += tuple(self._variables(columns))
        self.owner: np.ndarray = np.zeros(space.width, np.intp)
        for index, variable in enumerate(self.variables):
            self.owner[list(variable.columns)] = index

    def needs(self, column: int) -> dict[int, int]:
        """Return the choices of other columns under which `column` is in force."""
        found = {}
        while (parent := self.space.columns[column].parent) >= 0:
            found[parent] = self.space.columns[column].parent_choice
            column = parent
        return found

    def nested(self) -> np.ndarray:
        """Return which variables hang on each other by their conditions, shape (variables, variables), bool."""
        found = np.zeros((len(self.variables),) * 2, bool)
        for column in range(self.space.width):
            for above in self.needs(column):
                found[self.owner[column], self.owner[above]] = found[self.owner[above], self.owner[column]] = True
        np.fill_diagonal(found, False)
        return found

    def draw(self, wanted: Mapping[int, int], rng: np.random.Generator) -> np.ndarray | None:
        """Return a random genotype, shape (width,), whose columns have the `wanted` values; None if there is none."""
        row = self.space.sample(1, rng)[0]
        for variable in self.variables:
            values = variable.values
            for position, column in enumerate(variable.columns):
                if column in wanted:
                    values = values[values[:, position] == wanted[column]]
            if len(values):
                row[list(variable.columns)] = values[rng.integers(len(values))]
            elif len(variable.values):
                return None
        repaired: np.ndarray = self.space.repair(row[None])[0]
        return repaired

    def draw_active(self, rng: np.random.Generator) -> np.ndarray:
        """Return a random genotype with a random column in force, so that what is deeply nested comes up as often."""
        wanted = self.needs(int(rng.integers(self.space.width))) if self.space.width else {}
        row = self.draw(wanted, rng)
        return self.space.sample(1, rng)[0] if row is None else row

    def monotonous(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a genotype in which a random share of the variables, at random, have one and the same choice."""
        favourite, share = rng.integers(2**31), rng.random()
        changed = row.copy()
        for variable in self.variables:
            if len(variable.values) and rng.random() < share:
                changed[list(variable.columns)] = variable.values[favourite % len(variable.values)]
        repaired: np.ndarray = self.space.repair(changed[None])[0]
        return repaired

    def lively(self, rng: np.random.Generator) -> np.ndarray:
        """Return a random genotype with many decisions in force."""
        rows = np.stack([self.draw_active(rng) for _ in range(LIVELY_DRAWS)])
        row: np.ndarray = rows[self.space.active(rows).sum(axis=1).argmax()]
        return row

    def _variables(self, columns: Sequence[int]) -> Iterator[Variable]:
        """Yield the variables of a decision or of the positions of a `manyof`; those above them are known already."""
        if self.space.columns[columns[0]].kind == "float":
            yield Variable(tuple(columns), np.zeros((0, 1), np.int64))
            return
        context = self.draw(self.needs(columns[0]), np.random.default_rng(0)) if len(columns) > 1 else None
        if context is not None and self._ruled(columns, context):
            yield Variable(tuple(columns), self._tuples(columns, context))
            return
        for column in columns:
            yield Variable((column,), np.arange(self.space.columns[column].cardinality)[:, None])

    def _ruled(self, columns: Sequence[int], context: np.ndarray) -> bool:
        """Return whether equal choices are not allowed, or descending ones are not."""
        choices = np.zeros((2, len(columns)), np.int64)
        choices[1, 0] = min(1, self.space.columns[columns[0]].cardinality - 1)
        return not self._kept(columns, choices, context).all()

    def _tuples(self, columns: Sequence[int], context: np.ndarray) -> np.ndarray:
        """Return the choices that the rules allow, and the zeros that stand where the `manyof` is not in force."""
        cardinality = self.space.columns[columns[0]].cardinality
        if cardinality ** len(columns) > MOST_TUPLES:
            raise NotCompilableError(f"{self.space.columns[columns[0]].name} and its like have too many joint values")
        choices = np.array(list(product(range(cardinality), repeat=len(columns))), np.int64)
        allowed = self._kept(columns, choices, context)
        allowed[0] |= bool(self.needs(columns[0]))
        kept: np.ndarray = choices[allowed]
        return kept

    def _kept(self, columns: Sequence[int], choices: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Return which rows of `choices` stay as they are where the columns are in force, as in `context`."""
        rows = np.repeat(context[None], len(choices), axis=0)
        rows[:, list(columns)] = choices
        kept: np.ndarray = (self.space.repair(rows)[:, list(columns)] == choices).all(axis=1)
        return kept


def _blocks(space: GenotypeSpace) -> list[list[int]]:
    """Return the columns of each decision, those of a `manyof`'s positions together, by the first column."""
    blocks: dict[tuple[int, int], list[int]] = {}
    for index, column in enumerate(space.columns):
        blocks.setdefault((column.group, -1 if column.group >= 0 else index), []).append(index)
    return list(blocks.values())
