"""Genotypes in which every two values of any two decisions occur together, as few as a greedy search finds.

A covering array of strength 2 (Cohen, Dalal, Fredman and Patton, IEEE Trans. Software Engineering 23, 1997), here of
decisions that may hang on others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from search.costing.domain import Domain

MOST_VALUES = 1_500
"""Above so many values of all variables together, pairs are not listed."""

PACKED = 48
"""Pairs that are tried in each genotype."""


def covering_rows(domain: Domain, adjacent: np.ndarray, most: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield at most `most` genotypes, (width,), that hold every pair of values, both in force, of any two variables.

    Pairs of variables that are `adjacent`, (variables, variables) bool, are left out, and pairs of values that cannot
    be in force together. With too many values, or where `most` comes first, the pairs are not all covered.
    """
    values = _Values(domain)
    if values.count > MOST_VALUES:
        return
    uncovered = np.triu(~adjacent[np.ix_(values.owners, values.owners)], 1)
    uncovered &= values.owners[:, None] != values.owners
    for _ in range(most):
        open_pairs = np.argwhere(uncovered)
        if not len(open_pairs):
            return
        chosen = open_pairs[rng.permutation(len(open_pairs))[:PACKED]]
        row = values.row_with(chosen, rng)
        uncovered[tuple(chosen[0])] = False
        if row is not None:
            held = values.held(row)
            uncovered[np.ix_(held, held)] = False
            yield row


class _Values:
    """The values of all variables, numbered."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._wanted: list[dict[int, int]] = []
        owners: list[int] = []
        self._first = {}
        for index, variable in enumerate(domain.variables):
            self._first[index] = len(owners)
            owners += [index] * len(variable.values)
            for value in variable.values.tolist():
                self._wanted.append({**dict(zip(variable.columns, value, strict=True)), **self._needs(index)})
        self.owners, self.count = np.array(owners, np.intp), len(owners)

    def _needs(self, variable: int) -> dict[int, int]:
        return self._domain.needs(self._domain.variables[variable].columns[0])

    def row_with(self, pairs: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """Return a genotype that holds the first pair and as many of the others as go together; None if it cannot."""
        wanted: dict[int, int] = {}
        for first, second in pairs.tolist():
            more = wanted
            for values in (self._wanted[first], self._wanted[second]):
                more = {**more, **values} if all(more.get(at, value) == value for at, value in values.items()) else {}
                if not more:
                    break
            wanted = more or wanted
            if not wanted:
                return None
        row = self._domain.draw(wanted, rng)
        return self.row_with(pairs[:1], rng) if row is None and len(pairs) > 1 else row

    def held(self, row: np.ndarray) -> np.ndarray:
        """Return the numbers of the values that are in force in a genotype."""
        active = self._domain.space.active(row[None])[0]
        found = []
        for index, variable in enumerate(self._domain.variables):
            columns = list(variable.columns)
            if len(variable.values) and active[columns[0]]:
                same = (variable.values == row[columns]).all(axis=1).nonzero()[0]
                found += (self._first[index] + same).tolist()
        return np.array(found, np.intp)
