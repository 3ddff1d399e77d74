"""Genotypes as coordinates for a surrogate: squared distances in groups of them say how two candidates differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.algorithms._float_scale import place_of

if TYPE_CHECKING:
    from spaces.genotype import Column, GenotypeSpace

SPAN = 2.0
"""What the ranks of a known score span."""


class Features:
    """A space's coordinates, in groups that each have a weight of their own.

    A choice is one group, in which two candidates are 1 apart when they choose differently (Hamming) and 0 otherwise;
    one whose choices are numbers is a second group, their ranks, so that near ones can be alike. A float is its
    place on its scale. Two candidates in which a column is inactive are 0 apart there, and 1 (a float: about 1) from
    one in which it is active. Columns with the same choices (the layers of a network) give a group for each choice:
    how often it is chosen. Known scores follow, each a group: its rank among random candidates, so that the unit and
    the scale of a cost are of no account.

    Attributes:
      groups: shape (coordinates,), the group of each coordinate.
      prior: shape (groups,), the weights that are likely before anything is seen.
    """

    def __init__(self, space: GenotypeSpace, sampled: np.ndarray) -> None:
        """Compile `space`; `sampled` are known scores of random candidates, (m, known), whose ranks count."""
        self._space = space
        self._sampled = np.sort(sampled, axis=0)
        columns = space.columns
        chosen = [index for index, column in enumerate(columns) if column.kind == "choice"]
        self._cardinalities = np.array([column.cardinality for column in columns], np.intp)
        self._column = np.repeat(np.array(chosen, np.intp), self._cardinalities[chosen] + 1)
        self._choice = np.concatenate([[0], *(np.arange(columns[index].cardinality + 1) for index in chosen)])[1:]
        self._counts = _counting(columns, chosen, len(self._column))
        self._places = [index for index, column in enumerate(columns) if column.kind == "float" or _is_ordinal(column)]
        numbers = [columns[index] for index in self._places]
        self._low = np.array([column.low for column in numbers], np.float64)
        span = np.array([column.high for column in numbers], np.float64) - self._low
        self._span = np.where(span > 0, span, 1.0)
        self._curved = [at for at, column in enumerate(numbers) if column.scale in ("log", "rlog")]
        self._switched = [
            index for index in self._places if columns[index].kind == "float" and columns[index].parent >= 0
        ]
        sole = self._counts.shape[1] + len(self._places) + sampled.shape[1]
        own = [np.unique(self._column, return_inverse=True)[1].ravel(), len(chosen) + np.arange(sole)]
        switches = [len(chosen) + self._counts.shape[1] + self._places.index(index) for index in self._switched]
        self.groups: np.ndarray = np.concatenate([*own, switches]).astype(np.intp)
        self.prior: np.ndarray = np.full(len(chosen) + sole, 1.0 / max(1.0, np.sqrt(space.width)))

    def __call__(self, genotypes: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the coordinates of genotypes (n, width) with known scores (n, known): (n, coordinates), float64."""
        active = self._space.active(genotypes)
        state = np.where(active, genotypes.astype(np.float64), self._cardinalities)
        held = (state[:, self._column] == self._choice).astype(np.float64)
        ranks = [np.interp(column, self._sampled[:, index], self._steps) for index, column in enumerate(known.T)]
        parts = [
            np.sqrt(0.5) * held,
            held @ self._counts,
            self._on_scales(genotypes, active),
            *(rank[:, None] for rank in ranks),
            active[:, self._switched],
        ]
        return np.concatenate(parts, axis=1)

    @property
    def _steps(self) -> np.ndarray:
        return np.linspace(0.0, SPAN, len(self._sampled))

    def _on_scales(self, genotypes: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Return the places of numbers on their scales, 0.5 where a column is inactive: (n, places)."""
        on = active[:, self._places]
        values = np.where(on, genotypes[:, self._places].astype(np.float64), self._low)
        places = (values - self._low) / self._span
        for position in self._curved:
            places[:, position] = place_of(self._space.columns[self._places[position]], values[:, position])
        return np.where(on, places, 0.5)


def _counting(columns: tuple[Column, ...], chosen: list[int], held: int) -> np.ndarray:
    """Return what turns held choices into how often each is held among columns of equal choices: (held, counts)."""
    alike: dict[tuple[str, ...], list[int]] = {}
    starts = dict(zip(chosen, np.cumsum([0, *(columns[index].cardinality + 1 for index in chosen)]), strict=False))
    for index in chosen:
        alike.setdefault(columns[index].choices, []).append(int(starts[index]))
    counts = []
    for choices, firsts in alike.items():
        for choice in range(len(choices) if len(firsts) > 1 else 0):
            counts.append(np.zeros(held))
            counts[-1][np.array(firsts) + choice] = len(firsts) ** -0.5
    return np.array(counts).reshape(len(counts), held).T


def _is_ordinal(column: Column) -> bool:
    """Return whether a column's choices are more than two numbers in order."""
    try:
        numbers = [float(label) for label in column.choices]
    except ValueError:
        return False
    return len(numbers) > 2 and numbers in (sorted(numbers), sorted(numbers, reverse=True))
