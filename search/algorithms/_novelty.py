"""A walk out of what has been proposed already: rows that are known are mutated again until they are new."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace

STEPS = 30
"""How many mutations a row may be moved by before it is given up."""


def walk_to_new(
    space: GenotypeSpace, genotypes: np.ndarray, seen: Container[bytes], rng: np.random.Generator
) -> np.ndarray:
    """Return `genotypes` (n, width) with each row mutated until it is not in `seen`, nor equal to an earlier row.

    A row for which this takes more than `STEPS` mutations is returned as it then is. The closer a population has
    drawn together, the further its children walk, so that a converged search goes on around what it has found.
    """
    rows = genotypes.copy()
    taken: set[bytes] = set()
    old = np.arange(len(rows))
    for step in range(STEPS + 1):
        known = []
        for row, key in zip(old.tolist(), space.keys(rows[old]), strict=True):
            if key in seen or key in taken:
                known.append(row)
            else:
                taken.add(key)
        old = np.array(known, np.intp)
        if not len(old) or step == STEPS:
            break
        rows[old] = space.mutate(rows[old], rng)
    return rows
