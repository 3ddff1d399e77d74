"""A latency table that lists every network of a space: an exact look-up by genotype."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.held_out import HeldOut
from hardware_models.space_identity import SpaceIdentity
from hardware_models.table_origin import Origin

MOST_NETWORKS = 250_000
"""Spaces with more are not listed: a table is learnt for them."""


@dataclass(frozen=True, eq=False, slots=True)
class ListedTable:
    """The model of one device and a small space: `latency_ms` of each genotype as it was measured or predicted.

    Attributes:
      space: whose genotypes it costs, all combinations of its choices.
      origin: where it comes from.
      latencies_ms: (space.grid_size,), in the order of `space.grid()`.
      validation: the error of predicted latencies; None for measured ones.
    """

    space: SpaceIdentity
    origin: Origin
    latencies_ms: np.ndarray
    validation: HeldOut | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """`latency_ms` alone."""
        return ("latency_ms",)

    @property
    def entries(self) -> int:
        """How many networks it lists."""
        return len(self.latencies_ms)

    def costs(self, genotypes: np.ndarray) -> np.ndarray:
        """Return `latency_ms` of genotypes (n, width) as (n, 1), float64.

        Raises:
          ValueError: for another shape, or a choice that the space does not have.
        """
        ranks = self.space.ranks(self.space.rows(genotypes))
        return np.asarray(self.latencies_ms[ranks][:, None])

    def __eq__(self, other: object) -> bool:
        """Return whether all of both is equal."""
        if not isinstance(other, ListedTable):
            return NotImplemented
        same = (self.space, self.origin, self.validation) == (other.space, other.origin, other.validation)
        return same and np.array_equal(self.latencies_ms, other.latencies_ms)

    __hash__ = None  # type: ignore[assignment]

    def to_json(self) -> str:
        """Return the table as one JSON document, which `hardware_models.documents.load_model` reads back exactly."""
        from hardware_models.genotype_table_json import dump

        return dump(self)


def can_be_listed(space: SpaceIdentity) -> bool:
    """Return whether the space is a plain product of choices, and small enough."""
    return space.grid_size is not None and space.grid_size <= MOST_NETWORKS
