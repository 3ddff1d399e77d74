"""The columns of an additive table: one for each choice of each decision, and for each pair of choices of two."""

from __future__ import annotations

import numpy as np

from hardware_models.space_identity import SpaceIdentity

Pairs = tuple[tuple[int, int], ...]
"""Decisions whose choices interact, as (first, second) with first < second."""


def pairs_of(space: SpaceIdentity, which: str) -> Pairs:
    """Return the pairs of decisions called `none`, `neighbours` (each and the next one) or `all`.

    Raises:
      ValueError: for another word.
    """
    width = space.width
    match which:
        case "none":
            return ()
        case "neighbours":
            return tuple((first, first + 1) for first in range(width - 1))
        case "all":
            return tuple((first, second) for first in range(width) for second in range(first + 1, width))
    raise ValueError(f"unknown pairs {which!r}: expected none, neighbours or all")


def single_columns(space: SpaceIdentity, rows: np.ndarray) -> np.ndarray:
    """Return one column for each choice of each decision: 1 where it is made and in force, (n, sum of choices)."""
    on = space.active(rows)
    columns = [
        (rows[:, [decision]] == np.arange(count)) & on[:, [decision]]
        for decision, count in enumerate(space.cardinalities)
    ]
    return np.concatenate(columns, axis=1).astype(np.float64)


def pair_columns(space: SpaceIdentity, rows: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Return one column for each pair of choices of each pair of decisions, the second's fastest, (n, m)."""
    singles, starts = single_columns(space, rows), np.cumsum((0, *space.cardinalities))
    blocks = [np.zeros((len(rows), 0))]
    for first, second in pairs:
        left = singles[:, starts[first] : starts[first + 1], None]
        right = singles[:, None, starts[second] : starts[second + 1]]
        blocks.append((left * right).reshape(len(rows), -1))
    return np.concatenate(blocks, axis=1)
