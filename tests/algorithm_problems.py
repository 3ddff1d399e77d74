"""Problems for the tests of algorithms: spaces of every kind, random small ones, and made-up results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
from hypothesis import strategies as st

from search.algorithms._base import Results

SPACES: dict[str, Callable[[], Any]] = {
    "flat": lambda: pg.Dict({f"layer{i}": pg.oneof(list(range(5))) for i in range(6)}),
    "conditional": lambda: pg.Dict(
        stem=pg.oneof([pg.Dict(kernel=pg.oneof([3, 5, 7]), width=pg.oneof([8, 16])), "none"]), depth=pg.oneof([1, 2, 3])
    ),
    "manyof": lambda: pg.Dict(
        distinct=pg.manyof(2, list("abcd"), distinct=True, sorted=True), any=pg.manyof(3, [1, 2], distinct=False)
    ),
    "constant": lambda: pg.Dict(kernel=3),
    "mixed": lambda: pg.Dict(rate=pg.floatv(1e-4, 1e-1, scale="log"), optimizer=pg.oneof(["sgd", "adamw"])),
}


def results(genotypes: np.ndarray, objectives: int = 1) -> Results:
    """Return made-up scores that depend on the genotypes alone."""
    values = np.sin(genotypes.astype(float) + np.arange(genotypes.shape[1])).sum(axis=1, keepdims=True)
    return Results(genotypes, np.hstack([values * (i + 1) ** -1 for i in range(objectives)]), np.zeros(len(genotypes)))


def judged(genotypes: np.ndarray, objectives: int = 1) -> Results:
    """Return made-up scores that conflict, one in seven of them missing, and violations for one in five."""
    angles = genotypes.astype(float) * np.arange(1, genotypes.shape[1] + 1)
    scores = np.stack([np.cos(angles * (i + 1)).sum(axis=1) for i in range(objectives)], axis=1)
    marks = np.floor(1e4 * np.abs(np.sin(angles).sum(axis=1))).astype(int)
    scores[marks % 7 == 0] = np.nan
    return Results(genotypes, scores, np.where(marks % 5 == 1, 0.1 + marks % 3, 0.0))


CHOICES = st.integers(1, 4).map(lambda count: pg.oneof(list(range(count))))
MANY = st.tuples(st.integers(1, 2), st.booleans(), st.booleans()).map(
    lambda these: pg.manyof(these[0], "abc", *these[1:])
)
FLOATS = st.sampled_from([(0.0, 1.0, None), (1e-4, 1.0, "log"), (2.0, 2.0, None)]).map(lambda these: pg.floatv(*these))
LEAVES = CHOICES | MANY | FLOATS
NESTED = st.lists(LEAVES | st.just("none"), min_size=2, max_size=3).map(pg.oneof)
SMALL_SPACES = st.dictionaries(st.sampled_from("abc"), LEAVES | NESTED, min_size=1).map(pg.Dict)
"""Symbolic spaces of one to three decisions, each with another level below at most; many are small enough to end."""
