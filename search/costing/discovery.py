"""Which variables act together: found by genotypes whose operators are not what the structure so far foresees."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from search.costing.covering import covering_rows
from search.costing.domain import Domain, NotCompilableError
from search.costing.probe import Probe
from search.costing.structure import MOST_CELLS, Structure

ROWS = 192
"""Random genotypes that are looked at first, and the fewest fresh ones that must all be foreseen in the end."""

MUTANTS = 6
"""What else is looked at around a genotype that was not foreseen: others like it may lie near."""

MOST_COVERING_ROWS = 1_000
"""Genotypes beyond which pairs of values are left uncovered."""

SMALLER = 8
"""Tables must be so many times smaller than the space."""


def discover(domain: Domain, probe: Probe) -> Structure:
    """Return a structure that foresees the operators of every genotype that was looked at, exactly.

    Where one is not foreseen, the variables that make the difference are joined. Looked at are random genotypes (see
    `_random_rows`), ones in which every two values of any two decisions that are not joined occur together, mutants of
    what was not foreseen, and then fresh random ones, until as many are foreseen as half of the candidates that were
    decoded so far, and at least `ROWS`, by a structure that foresees all that came before: what was hard to find out is
    looked at for longer. The same space gives the same structure, whatever the models.

    Raises:
      OutOfBudgetError: by the probe.
      NotCompilableError: when a float acts on the operators, or so many variables act together that tables of them
        would be too large.
    """
    rng = np.random.default_rng(0)
    rows = list(_random_rows(domain, ROWS, rng))
    structure = Structure(domain, domain.lively(rng), domain.nested())
    structure = _foreseeing(structure, probe, rows, rng, mutants=0)
    rows += covering_rows(domain, structure.adjacent, MOST_COVERING_ROWS, rng)
    while True:
        structure = _foreseeing(structure, probe, rows, rng)
        fresh = list(_random_rows(domain, max(ROWS, probe.spent // 2), rng))
        if all(structure.foresees(probe, row) for row in fresh):
            return _small(structure)
        rows += fresh


def _random_rows(domain: Domain, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield random genotypes: half of them uniform but for a decision that is put in force, half of them monotonous.

    In a monotonous one, most variables that can have the same choice do, as layers that are skipped one after another.
    """
    for number in range(count):
        row = domain.draw_active(rng)
        yield domain.monotonous(row, rng) if number % 2 else row


def _foreseeing(
    structure: Structure, probe: Probe, rows: list[np.ndarray], rng: np.random.Generator, mutants: int = MUTANTS
) -> Structure:
    """Return the structure with variables joined until it foresees all of `rows`, to which mutants are added."""
    foreseen = at = 0
    while foreseen < len(rows):
        row = rows[at % len(rows)]
        if structure.foresees(probe, row):
            foreseen, at = foreseen + 1, at + 1
        else:
            structure = _small(structure.joined(structure.conflict(probe, row)))
            rows += list(structure.domain.space.mutate(np.repeat(row[None], mutants, axis=0), rng))
            foreseen = 0
    return structure


def _small(structure: Structure) -> Structure:
    """Return the structure. Raises NotCompilableError where its tables would hardly be smaller than the space."""
    space = structure.domain.space
    size = space.size or prod(len(each.values) or 1 for each in structure.domain.variables)
    if structure.cells > min(MOST_CELLS, size // SMALLER):
        raise NotCompilableError(f"{structure.cells:,} cells for {size:,} genotypes are too many")
    return structure
