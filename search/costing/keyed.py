"""Metrics of genotypes by additive models, from a table of the keys that a space has for its operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hardware_models._base import AdditiveModel
from hardware_models.architecture import ARCHITECTURE, KeyedOperators
from search.costing.checks import Checks
from spaces.genotype import GenotypeSpace

CHUNK = 8192
"""Genotypes that are costed at a time."""


def keyed(space: GenotypeSpace) -> KeyedOperators | None:
    """Return what gives keys of the space's operators: its value, or the only member `architecture` of a mapping."""
    value: Any = space.value
    if list(getattr(value, "sym_keys", list)()) == [ARCHITECTURE]:
        value = value.sym_getattr(ARCHITECTURE)
    return value if isinstance(value, KeyedOperators) else None


class KeyedCosts:
    """Sums over the keys of each genotype; what a key costs is asked when it is first met."""

    def __init__(
        self,
        space: GenotypeSpace,
        keys: KeyedOperators,
        models: Sequence[AdditiveModel],
        slow: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        """Take a space whose decisions are all choices; `slow` costs genotypes by their operators, for checks."""
        self._names = [column.name.removeprefix(f"{ARCHITECTURE}.") for column in space.columns]
        self._keys, self._models, self._checks = keys, models, Checks(slow)
        self._filled = np.zeros(keys.key_bound, bool)
        self._tables: list[np.ndarray] = []
        self._metrics = sum(len(model.metrics) for model in models)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the metrics of canonical genotypes (n, width) in bounds, (n, metrics).

        Raises:
          MiscompiledError: when one that was checked differs from what its operators cost.
          Exception: what a model raises for an operator.
        """
        costs = np.empty((len(rows), self._metrics))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            keys = self._keys.operator_keys(dict(zip(self._names, part.T, strict=True)))
            self._fill(np.unique(keys[~self._filled[keys]]).tolist())
            sums = [table[keys].sum(1) for table in self._tables]
            totals = [model.total(each) for model, each in zip(self._models, sums, strict=True)]
            np.concatenate(totals, 1, out=costs[start : start + CHUNK])
        self._checks(rows, costs)
        return costs

    def _fill(self, keys: Sequence[int]) -> None:
        for key in keys:
            ops = self._keys.operators_of(key)
            for place, model in enumerate(self._models):
                terms = [model.terms(op) for op in ops]
                if terms:
                    self._table(place, len(terms[0]))[key] = np.sum(terms, axis=0)
            self._filled[key] = True

    def _table(self, place: int, width: int) -> np.ndarray:
        """Return the table of one model's terms; tables are made when the first operator is met."""
        if place == len(self._tables):
            self._tables.append(np.zeros((len(self._filled), width)))
        return self._tables[place]
