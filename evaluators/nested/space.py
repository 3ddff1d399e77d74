"""A space whose networks lie within each other, by size: its largest and smallest, and every decision's order."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from hardware_models import counts
from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace

Macs = Callable[[Any], float]
"""The multiply-accumulates of a candidate, for one image."""


REMEMBERED = 50_000
"""Networks whose multiply-accumulates are kept: samplers ask for the same ones again."""

_SIZE = counts.Counts(("params", "macs"))


def counted_macs(candidate: Any) -> float:
    """Return a candidate's multiply-accumulates as `hardware_models.counts` counts them from its operators."""
    return float(counts.macs(architecture_of(candidate).ops()))


class NestedSpace:
    """What trainers and samplers ask of a space. Sizes are weights, then multiply-accumulates where these are equal.

    Attributes:
      space: the compiled space.
      largest, smallest: genotypes, (width,): every decision's largest and smallest choice.
      order: of each column its choices from the largest to the smallest.
    """

    def __init__(self, space: GenotypeSpace, macs: Macs = counted_macs) -> None:
        """Find the extremes, deciding one column after another. Raises ValueError where a float is open."""
        if any(column.kind != "choice" for column in space.columns):
            raise ValueError(
                "networks lie within each other where all decisions are choices; this space has open floats"
            )
        self.space, self._macs = space, macs
        self._known: dict[bytes, float] = {}
        self.largest = self._extreme(max)
        self.smallest = self._extreme(min)
        self.order: tuple[np.ndarray, ...] = tuple(self._ordered(column) for column in range(space.width))

    def random(self, rng: np.random.Generator) -> np.ndarray:
        """Return a genotype, each decision uniform."""
        return self.valid(self.space.sample(1, rng)[0])

    def valid(self, row: np.ndarray) -> np.ndarray:
        """Return the genotype that a row of choices stands for: what the choices above switch off is 0."""
        genotype: np.ndarray = self.space.repair(row[None])[0]
        return genotype

    def of_ranks(self, ranks: np.ndarray) -> np.ndarray:
        """Return the genotype whose decisions have these ranks, (width,): 0 for the largest choice."""
        return self.valid(np.array([order[rank] for order, rank in zip(self.order, ranks, strict=True)]))

    def ranks(self, genotype: np.ndarray) -> np.ndarray:
        """Return the rank of each decision of a genotype, int64 (width,)."""
        return np.array([rank[choice] for rank, choice in zip(self._rank, genotype, strict=True)])

    def macs(self, genotype: np.ndarray) -> float:
        """Return a network's multiply-accumulates for one image."""
        key = genotype.tobytes()
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = float(self._macs(self.space.peek(genotype)))
        return self._known[key]

    @cached_property
    def smallest_macs(self) -> float:
        """The smallest network's multiply-accumulates."""
        return self.macs(self.smallest)

    @cached_property
    def largest_macs(self) -> float:
        """The largest network's multiply-accumulates."""
        return self.macs(self.largest)

    @cached_property
    def _rank(self) -> tuple[np.ndarray, ...]:
        return tuple(np.argsort(order) for order in self.order)

    def _size(self, row: np.ndarray) -> tuple[float, float]:
        ops = architecture_of(self.space.peek(row)).ops()
        found = _SIZE(ops)
        return found["params"], found["macs"]

    def _with(self, row: np.ndarray, column: int, choice: int) -> np.ndarray:
        changed = row.copy()
        changed[column] = choice
        return self.valid(changed)

    def _extreme(self, best: Callable[..., int]) -> np.ndarray:
        row = self.valid(np.zeros(self.space.width))
        for column in range(self.space.width):
            if self.space.active(row[None])[0, column]:
                options = [self._with(row, column, choice) for choice in range(self.space.columns[column].cardinality)]
                row = options[best(range(len(options)), key=lambda at, made=options: self._size(made[at]))]
        return row

    def _ordered(self, column: int) -> np.ndarray:
        """Return choices by size, in the largest and in the smallest network: one may matter in one of them only."""
        choices = range(self.space.columns[column].cardinality)
        ends = [row for row in (self.largest, self.smallest) if self.space.active(row[None])[0, column]]
        sizes = np.array([[self._size(self._with(row, column, choice)) for row in ends] for choice in choices])
        params, macs = sizes.sum(1).T if ends else np.zeros((2, len(choices)))
        ascending: np.ndarray = np.lexsort((np.arange(len(choices)), macs, params))
        return ascending[::-1].copy()
