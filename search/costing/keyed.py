"""Metrics of genotypes by additive models, from tables of the keys that a space has for its operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hardware_models._base import AdditiveModel
from hardware_models.architecture import (
    ARCHITECTURE,
    KeyedOperators,
    KeyOperators,
    architecture_of,
    members_of_cost,
)
from hardware_models.op import Op
from search.costing.checks import Checks
from spaces.genotype import GenotypeSpace

CHUNK = 8192
"""Genotypes that are costed at a time."""

BARREN_CHUNKS, CHUNKS = 12, 240
"""The listing of keys ends after so many chunks in a row that hold no new one, and after so many in all."""

Slow = Callable[[np.ndarray], np.ndarray]
"""Genotypes (n, width) -> metrics (n, k), from each one's operators."""


def keyed(space: GenotypeSpace) -> KeyedOperators | None:
    """Return what gives keys of the space's operators: its value, or the member `architecture` of a mapping.

    None where there is no such thing, or a float is open.
    """
    value: Any = space.value
    if space.members([ARCHITECTURE]) is not None:
        value = value.sym_getattr(ARCHITECTURE)
    closed = all(column.kind == "choice" for column in space.columns)
    return value if closed and isinstance(value, KeyedOperators) else None


def keyed_operators(space: GenotypeSpace, rng: np.random.Generator) -> Iterator[Op]:
    """Yield operators of a space that has keys for them, found without decoding its candidates; of others none.

    Random genotypes are looked at, of each a share of whose decisions, from none to all, have one choice in common:
    what a late step runs hangs on all decisions before it, and even choices would hardly leave it all that it may have.
    """
    part = (space.members(members_of_cost(space.value)) or (space,))[0]
    keys = keyed(part)
    if keys is None:
        return
    variants = _Variants(part, keys)
    met: dict[KeyOperators, np.ndarray] = {}
    last = np.array([column.cardinality for column in part.columns]) - 1
    barren = 0
    for _ in range(CHUNKS):
        rows = part.sample(CHUNK, rng)
        alike = rng.random(rows.shape) < rng.random((CHUNK, 1))
        rows = part.repair(np.where(alike, np.minimum(rng.integers(0, last.max() + 1, (CHUNK, 1)), last), rows))
        found, barren = keys.operator_keys(variants.choices(rows)), barren + 1
        for operators, chosen in variants(rows):
            if operators is not None:
                known = met.setdefault(operators, np.zeros(keys.key_bound, bool))
                for key in np.unique(found[chosen][~known[found[chosen]]]).tolist():
                    barren, known[key] = 0, True
                    yield from operators(key)
        if barren == BARREN_CHUNKS:
            return


class KeyedCosts:
    """Sums over the keys of each genotype; what a key costs is asked when it is first met.

    Of a joint space the architecture has the keys, and what the other members decide, which is few things, makes of it
    another one, with a table of its own. Genotypes for which that has no keys are costed one by one.
    """

    def __init__(self, space: GenotypeSpace, keys: KeyedOperators, models: Sequence[AdditiveModel], slow: Slow) -> None:
        """Take a space whose decisions are all choices; `slow` costs genotypes by their operators."""
        self._keys, self._slow, self._checks = keys, slow, Checks(slow)
        self._terms, self._metrics = _Terms(models), sum(len(model.metrics) for model in models)
        self._numbers = np.full(keys.key_bound, -1, np.int32)
        self._met: list[int] = []
        self._variants = _Variants(space, keys)
        self._tables: dict[KeyOperators, _Table] = {}

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the metrics of canonical genotypes (n, width) in bounds, (n, metrics).

        Raises:
          MiscompiledError: when one that was checked differs from what its operators cost.
          Exception: what a model raises for an operator, or a member of the space for an architecture.
        """
        costs = np.empty((len(rows), self._metrics))
        for start in range(0, len(rows), CHUNK):
            part, into = rows[start : start + CHUNK], costs[start : start + CHUNK]
            numbers = self._numbered(self._keys.operator_keys(self._variants.choices(part)))
            for operators, chosen in self._variants(part):
                into[chosen] = self._slow(part[chosen]) if operators is None else self._sums(operators, numbers[chosen])
        self._checks(rows, costs)
        return costs

    def _numbered(self, keys: np.ndarray) -> np.ndarray:
        """Return a number for each key, in the order in which keys are met."""
        new = np.unique(keys[self._numbers[keys] < 0])
        self._numbers[new] = len(self._met) + np.arange(len(new))
        self._met += new.tolist()
        numbers: np.ndarray = self._numbers[keys]
        return numbers

    def _sums(self, operators: KeyOperators, numbers: np.ndarray) -> np.ndarray:
        table = self._tables.setdefault(operators, _Table(operators, self._terms))
        return table(numbers, self._met)


class _Variants:
    """What the other members of a joint space make of its architecture."""

    def __init__(self, space: GenotypeSpace, keys: KeyedOperators) -> None:
        self._operators, self._own, self._others = keys.key_operators, np.arange(space.width), None
        found, prefix = space.members([ARCHITECTURE]), f"{ARCHITECTURE}."
        if found is not None:
            self._own, self._others = found[1], space.members([n for n in space.value.sym_keys() if n != ARCHITECTURE])
            any_row = found[0].repair(np.zeros((1, found[0].width)))[0]
            self._candidate = found[0].decode(any_row)[ARCHITECTURE]  # all have the same keys
        self._names = [space.columns[column].name.removeprefix(prefix) for column in self._own]
        self._places: dict[KeyOperators | None, int] = {}
        self._known: dict[bytes, int] = {}

    def choices(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the choices of the architecture, (n,) each, by name."""
        return dict(zip(self._names, rows[:, self._own].T, strict=True))

    def __call__(self, rows: np.ndarray) -> Iterator[tuple[KeyOperators | None, Any]]:
        """Yield what gives the operators of keys, None for what has no keys, and which rows it holds for."""
        if self._others is None:
            yield self._operators, slice(None)
            return
        space, columns = self._others
        decided, which = np.unique(rows[:, columns], axis=0, return_inverse=True)
        places = np.array([self._place(space, row) for row in decided])[which.ravel()]
        sources = list(self._places)
        for place in np.unique(places).tolist():
            yield sources[place], np.flatnonzero(places == place)

    def _place(self, space: GenotypeSpace, row: np.ndarray) -> int:
        """Return the place, among `_places`, of what the other members' choices make of the architecture."""
        key = row.tobytes()
        if key not in self._known:
            members = space.decode(row.astype(space.dtype))
            changed = architecture_of({ARCHITECTURE: self._candidate, **members})
            operators = getattr(changed, "key_operators", None)
            self._known[key] = self._places.setdefault(operators, len(self._places))
        return self._known[key]


class _Terms:
    """All models' terms of operators, which are remembered."""

    def __init__(self, models: Sequence[AdditiveModel]) -> None:
        self.models = models
        self._known: dict[Op, list[np.ndarray]] = {}

    def __call__(self, ops: Sequence[Op]) -> list[np.ndarray]:
        """Return the sums of each model's terms; none for no operators. Raises what a model raises for one."""
        for op in ops:
            if op not in self._known:
                self._known[op] = [np.asarray(model.terms(op), np.float64) for model in self.models]
        return [np.sum(each, axis=0) for each in zip(*(self._known[op] for op in ops), strict=True)]


class _Table:
    """What each key costs by one source of operators."""

    def __init__(self, operators: KeyOperators, terms: _Terms) -> None:
        self._operators, self._terms = operators, terms
        self._filled = np.zeros(0, bool)
        self._sums: list[np.ndarray] = []

    def __call__(self, numbers: np.ndarray, keys: Sequence[int]) -> np.ndarray:
        """Return the metrics (n, k) of genotypes by their keys' numbers (n, keys), of which `keys` are the keys."""
        self._filled = _longer(self._filled, len(keys))
        self._sums = [_longer(each, len(keys)) for each in self._sums]
        for number in np.unique(numbers[~self._filled[numbers]]).tolist():
            self._fill(number, self._terms(self._operators(keys[number])))
        sums = [each[numbers].sum(1) for each in self._sums]
        return np.concatenate([model.total(each) for model, each in zip(self._terms.models, sums, strict=True)], 1)

    def _fill(self, number: int, terms: Sequence[np.ndarray]) -> None:
        if terms and not self._sums:
            self._sums = [np.zeros((len(self._filled), len(each))) for each in terms]
        for table, each in zip(self._sums, terms, strict=bool(terms)):
            table[number] = each
        self._filled[number] = True


def _longer(table: np.ndarray, length: int) -> np.ndarray:
    """Return a table with more rows, of zeros, at least `length` and twice as many as it has; itself if it has them."""
    if length <= len(table):
        return table
    return np.concatenate([table, np.zeros((max(length, 2 * len(table)) - len(table), *table.shape[1:]), table.dtype)])
