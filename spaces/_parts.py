"""Parts of a space: the decisions that stay open where the others are held, as a space of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyglove as pg

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a space: each genotype of `space` stands for one of `whole` whose other decisions are as in `held`.

    Attributes:
      whole: the space that this is a part of.
      space: the open decisions alone.
      columns: where its columns are among those of the whole, shape (space.width,).
      held: a row of the whole: what the other columns hold wherever they are active.
    """

    whole: GenotypeSpace
    space: GenotypeSpace
    columns: np.ndarray
    held: np.ndarray

    def join(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the genotypes of the whole, (n, whole.width), that these of the part, (n, space.width), stand for."""
        joined = np.repeat(self.held[None, :], len(genotypes), axis=0)
        joined[:, self.columns] = genotypes
        return self.whole.repair(joined)

    def take(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the open decisions of genotypes of the whole, (n, space.width), whatever their others hold."""
        return genotypes[:, self.columns].astype(self.space.dtype)

    def holds(self, genotypes: np.ndarray) -> np.ndarray:
        """Return which genotypes of the whole are in the part, shape (n,), bool."""
        inside: np.ndarray = (self.join(genotypes[:, self.columns]) == genotypes).all(axis=1)
        return inside

    def nearest(self, genotypes: np.ndarray) -> np.ndarray:
        """Return genotypes of the whole that are in the part and have the open decisions of these, where they can."""
        return self.join(self.space.repair(genotypes[:, self.columns]))


def open_part(spec: pg.DNASpec, free: np.ndarray, held: np.ndarray) -> tuple[pg.DNASpec, np.ndarray]:
    """Return the specification of the decisions that `free` (width,) leaves open, and which columns they are.

    What hangs on a held choice is among them if that choice, in the row `held`, leads to it.
    Raises ValueError for a `manyof` whose positions would differ in what is open.
    """
    found = _Walk(free, held).elements(spec.elements if spec.is_space else [spec])
    return pg.geno.Space(found.specs), np.array(found.columns, np.intp)


@dataclass(slots=True)
class _Open:
    """Open decisions, and all columns that they take up."""

    specs: list[pg.DNASpec] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)

    def add(self, other: _Open) -> None:
        self.specs += other.specs
        self.columns += other.columns


class _Walk:
    """Goes over a specification in the order of its columns."""

    def __init__(self, free: np.ndarray, held: np.ndarray) -> None:
        self._free = free
        self._held = held
        self._column = 0

    def elements(self, elements: Sequence[pg.DNASpec]) -> _Open:
        """Return what is open of decisions that stand side by side."""
        found = _Open()
        for element in elements:
            found.add(self._choices(element) if element.is_categorical else self._float(element))
        return found

    def _float(self, spec: pg.DNASpec) -> _Open:
        column = self._column
        self._column += 1
        if not self._free[column]:
            return _Open()
        return _Open([pg.geno.Float(spec.min_value, spec.max_value, spec.scale, spec.hints, spec.location)], [column])

    def _choices(self, spec: pg.DNASpec) -> _Open:
        starts: list[int] = []
        below: list[list[_Open]] = []
        for position in spec.choice_specs:
            starts.append(self._column)
            self._column += 1
            below.append([self.elements(candidate.elements) for candidate in position.candidates])
        if not self._free[starts].any():
            found = _Open()
            for start, candidates in zip(starts, below, strict=True):
                found.add(candidates[int(self._held[start])])
            return found
        columns = [
            [start, *(column for candidate in candidates for column in candidate.columns)]
            for start, candidates in zip(starts, below, strict=True)
        ]
        if not self._free[starts].all() or len({tuple(np.subtract(own, own[0])) for own in columns}) > 1:
            raise ValueError(f"the positions of manyof {str(spec.id)!r} must be open or held alike, and what they hold")
        return _Open([_narrowed(spec, below[0])], list(chain.from_iterable(columns)))


def _narrowed(spec: pg.DNASpec, candidates: Sequence[_Open]) -> pg.DNASpec:
    """Return a choice with what is open below each of its candidates."""
    return pg.geno.Choices(
        spec.num_choices,
        [pg.geno.Space(candidate.specs) for candidate in candidates],
        spec.literal_values,
        spec.distinct,
        spec.sorted,
        hints=spec.hints,
        location=spec.location,
    )
