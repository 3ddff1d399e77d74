"""Candidates for an acquisition: two edits around the best, steps of floats, and random genotypes; the first trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.algorithms._float_scale import place_of, value_at

if TYPE_CHECKING:
    from spaces.genotype import GenotypeSpace

ANYWHERE = 1 / 3
"""The part of candidates that is drawn from the whole space."""

TWICE = 0.6
"""The part of neighbours that is two edits away, not one."""

STEPS = (0.003, 0.1)
"""Deviations of a float's steps, as parts of its scale; each is drawn between the two on a log scale."""


def candidates(space: GenotypeSpace, best: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` genotypes, repeats possible, from all over the space and around those of `best` (m, width)."""
    anywhere = count if not len(best) else int(count * ANYWHERE)
    drawn = space.sample(anywhere, rng)
    if anywhere == count:
        return drawn
    near = neighbours(space, best[rng.integers(len(best), size=count - anywhere)], rng)
    again = rng.random(len(near)) < TWICE
    near[again] = neighbours(space, near[again], rng)
    return np.concatenate([drawn, near])


def neighbours(space: GenotypeSpace, genotypes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one neighbour of each genotype: an edit, or in a space with floats as often small steps of these."""
    edited = space.mutate(genotypes, rng)
    floats = [index for index, column in enumerate(space.columns) if column.kind == "float"]
    if not floats:
        return edited
    stepped = genotypes.copy()
    for index in floats:
        column = space.columns[index]
        step = STEPS[0] * (STEPS[1] / STEPS[0]) ** rng.random(len(stepped)) * rng.standard_normal(len(stepped))
        stepped[:, index] = value_at(column, place_of(column, stepped[:, index]) + step)
    chosen = rng.random((len(stepped), 1)) < 0.5
    return np.where(chosen, edited, space.repair(stepped))


def spread_over(values: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return at most `count` rows at equal ranks of `values` (n,), the ends among them, in random order."""
    order = values.argsort(kind="stable")
    ranks = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(np.intp))
    return rng.permutation(order[ranks])


def far_apart(coordinates: np.ndarray, count: int) -> np.ndarray:
    """Return at most `count` rows of `coordinates` (n, c), each the farthest from those before it (Gonzalez 1985)."""
    taken = [0] if len(coordinates) else []
    nearest = np.full(len(coordinates), np.inf)
    while len(taken) < min(count, len(coordinates)):
        nearest = np.minimum(nearest, ((coordinates - coordinates[taken[-1]]) ** 2).sum(axis=1))
        taken.append(int(nearest.argmax()))
    return np.array(taken, np.intp)
