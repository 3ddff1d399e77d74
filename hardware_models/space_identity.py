"""Which space a model of genotypes belongs to, and how that space's genotypes are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Protocol

import numpy as np

MOST_DECISIONS = 1_000
MOST_CHOICES = 1_000


class CompiledColumn(Protocol):
    """What is needed of a decision; `spaces.genotype.Column` is one."""

    @property
    def name(self) -> str:
        """The decision's name, unique in the space."""

    @property
    def kind(self) -> str:
        """`choice` or `float`."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The candidates' labels."""

    @property
    def parent(self) -> int:
        """The index of the column that this one depends on; -1 for none."""

    @property
    def parent_choice(self) -> int:
        """The choice of the parent under which this one is active; -1 for none."""


class CompiledSpace(Protocol):
    """What is needed of a space; `spaces.genotype.GenotypeSpace` is one."""

    @property
    def fingerprint(self) -> str:
        """Equal for equal spaces and for no others."""

    @property
    def columns(self) -> Sequence[CompiledColumn]:
        """The decisions in the order of a genotype's numbers."""


@dataclass(frozen=True)
class SpaceIdentity:
    """A space of choices, as much of it as a model of its genotypes keeps.

    Attributes:
      name: what the space was called when the model was made, for people.
      fingerprint: the space's own; a model is refused for any other.
      decisions: the decisions' names, in the order of a genotype's numbers.
      choices: the labels of each decision's candidates.
      parents, parent_choices: for each decision the one that it hangs on and under which choice; -1 for none.
    """

    name: str
    fingerprint: str
    decisions: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]
    parents: tuple[int, ...]
    parent_choices: tuple[int, ...]

    @property
    def width(self) -> int:
        """The number of decisions."""
        return len(self.decisions)

    @cached_property
    def cardinalities(self) -> tuple[int, ...]:
        """The number of candidates of each decision."""
        return tuple(map(len, self.choices))

    @cached_property
    def grid_size(self) -> int | None:
        """How many rows the product of all decisions has; None where some decision hangs on another."""
        return None if any(parent >= 0 for parent in self.parents) else prod(self.cardinalities)

    def check(self, space: CompiledSpace) -> None:
        """Raise ValueError unless `space` is the one that the model was made for."""
        if space.fingerprint == self.fingerprint:
            return
        names = [column.name for column in space.columns]
        differs = "its choices or constants differ" if names == list(self.decisions) else f"it decides {_few(names)}"
        raise ValueError(
            f"the latency model was made for the space {self.name} ({self.fingerprint[:12]}, deciding "
            f"{_few(self.decisions)}), not for this one ({space.fingerprint[:12]}): {differs}; take a model of this one"
        )

    def rows(self, genotypes: np.ndarray) -> np.ndarray:
        """Return genotypes (n, width) as int64. Raises ValueError for another shape or a choice that there is not."""
        given = np.asarray(genotypes)
        if given.ndim != 2 or given.shape[1] != self.width:
            raise ValueError(f"genotypes of {self.name} must have shape (n, {self.width}), got {given.shape}")
        rows = given.astype(np.int64)
        wrong = (rows != given) | (rows < 0) | (rows >= np.array(self.cardinalities))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"genotype {row}: decision {self.decisions[column]} has {self.cardinalities[column]} choices from 0, "
                f"got {given[row, column]}"
            )
        return rows

    def active(self, rows: np.ndarray) -> np.ndarray:
        """Return which decisions are in force in `rows` (n, width), bool, the same shape."""
        found = np.ones(rows.shape, bool)
        for column, (parent, choice) in enumerate(zip(self.parents, self.parent_choices, strict=True)):
            if parent >= 0:
                found[:, column] = found[:, parent] & (rows[:, parent] == choice)
        return found

    def grid(self) -> np.ndarray:
        """Return the product of all decisions, (grid_size, width), the last decision fastest."""
        rows = np.zeros((prod(self.cardinalities), self.width), np.int64)
        left = np.arange(len(rows))
        for column in range(self.width - 1, -1, -1):
            left, rows[:, column] = np.divmod(left, self.cardinalities[column])
        return rows

    def ranks(self, rows: np.ndarray) -> np.ndarray:
        """Return where each of `rows` (n, width) stands in `grid`, (n,)."""
        found = np.zeros(len(rows), np.int64)
        for column, count in enumerate(self.cardinalities):
            found = found * count + rows[:, column]
        return found

    def code(self, row: Sequence[int]) -> str:
        """Return a genotype as text: its digits, or its numbers with dashes where one may have two digits."""
        return ("" if max(self.cardinalities) <= 10 else "-").join(str(int(number)) for number in row)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Return how often each choice is made, as parts of all decisions: (n, m), m the choices that are told apart.

        Decisions with the same labels are counted together: an edge that may be a convolution or a pooling is like
        another that may be these two.
        """
        on = self.active(rows)
        columns = []
        for labels in dict.fromkeys(self.choices):
            alike = [index for index, other in enumerate(self.choices) if other == labels]
            columns += [((rows[:, alike] == choice) & on[:, alike]).sum(axis=1) for choice in range(len(labels))]
        return np.stack(columns, axis=1) / max(self.width, 1)


def identity_of(space: CompiledSpace, name: str) -> SpaceIdentity:
    """Return what a model keeps of `space`. Raises ValueError for one with open floats, or without decisions."""
    for column in space.columns:
        if column.kind != "choice":
            raise ValueError(f"{name}: decision {column.name} is an open float; a table needs choices alone")
    if not space.columns:
        raise ValueError(f"{name}: the space leaves nothing open; there is no table of a single network")
    return SpaceIdentity(
        name=name,
        fingerprint=space.fingerprint,
        decisions=tuple(column.name for column in space.columns),
        choices=tuple(tuple(map(str, column.choices)) for column in space.columns),
        parents=tuple(column.parent for column in space.columns),
        parent_choices=tuple(column.parent_choice for column in space.columns),
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
