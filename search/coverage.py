"""Which operators a space can ask for, and which of its networks a latency table is best calibrated on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from hardware_models.architecture import architecture_of
from hardware_models.counts import macs
from hardware_models.op import Op
from search.costing.keyed import keyed_operators
from spaces.genotype import GenotypeSpace

CONTEXTS = 4
"""Random genotypes in which each choice of each decision is tried."""

BATCH = 128
BARREN_BATCHES = 3
"""The listing ends after this many batches in a row that hold no new operator."""

LISTED = 2_000
"""Spaces up to this size are covered by all of their genotypes."""

MACS_PER_ELEMENT = 8
"""What an element written costs beside a multiply-accumulate, roughly: used to rank networks, not to predict."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The operators of a space.

    Attributes:
      ops: each distinct operator, in the order in which it was met.
      genotypes: the genotypes that were looked at, shape (n, width), distinct.
      costs: a rough cost of each, shape (n,), to rank them by.
    """

    ops: tuple[Op, ...]
    genotypes: np.ndarray
    costs: np.ndarray


def cover(space: GenotypeSpace, rng: np.random.Generator) -> Coverage:
    """Return the distinct operators of a space's candidates, which must have `ops()`.

    Every choice of every decision is tried in random contexts, then random candidates until several batches hold
    nothing new; small spaces are listed, and one that has keys for its operators is asked for them. Of others an
    operator that only a rare combination of choices makes may be missed.
    Random candidates of many decisions all cost much the same, so ever cheaper ones are looked at too, down to the
    cheapest: what a table says of these would else be far from any network that it is calibrated on.
    Raises ValueError for candidates without `ops()`.
    """
    found: dict[Op, None] = {}
    costs: dict[bytes, tuple[np.ndarray, float]] = {}
    barren = 0
    for forced, batch in _batches(space, rng):
        before = len(found)
        for key, row in zip(space.keys(batch), batch, strict=True):
            if key not in costs:
                ops = ops_of(space, row)
                found.update(dict.fromkeys(ops))
                costs[key] = row, rough_cost(ops)
        barren = barren + 1 if len(found) == before and not forced else 0
        if barren == BARREN_BATCHES:
            break
    for row in _cheaper(space, *min(costs.values(), key=lambda each: each[1])):
        ops = ops_of(space, row)
        found.update(dict.fromkeys(ops))
        costs.setdefault(space.keys(row[None])[0], (row, rough_cost(ops)))
    found.update(dict.fromkeys(keyed_operators(space, rng)))
    return _coverage(space, tuple(found), list(costs.values()))


def _cheaper(space: GenotypeSpace, row: np.ndarray, cost: float) -> Iterator[np.ndarray]:
    """Yield genotypes of ever lower cost, each by one other choice, down to one that no other choice makes cheaper."""
    before = np.inf
    while cost < before:
        before = cost
        for index, column in enumerate(space.columns):
            tried = np.repeat(row[None], column.cardinality, axis=0)
            tried[:, index] = np.arange(column.cardinality)
            for other in space.repair(tried):
                if (found := rough_cost(ops_of(space, other))) < cost:
                    row, cost = other, found
                    yield row


def survey(space: GenotypeSpace, count: int, rng: np.random.Generator) -> Coverage:
    """Return what `count` random candidates hold, with no care for completeness."""
    drawn = space.sample(count, rng)
    seen = [(row, ops_of(space, row)) for row in drawn[space.unique(drawn)]]
    ops = tuple(dict.fromkeys(op for _, ops in seen for op in ops))
    return _coverage(space, ops, [(row, rough_cost(ops)) for row, ops in seen])


def _coverage(space: GenotypeSpace, ops: tuple[Op, ...], costs: Sequence[tuple[np.ndarray, float]]) -> Coverage:
    genotypes = np.array([row for row, _ in costs], space.dtype).reshape(-1, space.width)
    return Coverage(ops, genotypes, np.array([cost for _, cost in costs]))


def ops_of(space: GenotypeSpace, genotype: np.ndarray) -> Sequence[Op]:
    """Return the operators of one genotype's candidate. Raises ValueError where candidates have none."""
    candidate = architecture_of(space.decode(genotype))
    if not callable(getattr(candidate, "ops", None)):
        raise ValueError(
            f"candidates of this space ({type(candidate).__name__}) have no `ops()`, so their latency cannot be known "
            f"from a table: give them one, or take the latency out of the study's objectives and constraints"
        )
    ops: Sequence[Op] = candidate.ops()
    return ops


def stratified(coverage: Coverage, count: int) -> np.ndarray:
    """Return up to `count` genotypes whose costs lie evenly between the least and the largest, by logarithm."""
    order = np.argsort(coverage.costs, kind="stable")
    costs = np.log(np.maximum(coverage.costs[order], 1.0))
    targets = np.linspace(costs[0], costs[-1], min(count, len(order))) if len(order) else np.zeros(0)
    chosen: list[int] = []
    for target in targets:
        free = [index for index in np.argsort(np.abs(costs - target), kind="stable").tolist() if index not in chosen]
        chosen.append(free[0])
    return coverage.genotypes[order[sorted(chosen)]]


def rough_cost(ops: Sequence[Op]) -> float:
    """Return a number that grows with what a network costs: multiply-accumulates and elements written."""
    return float(macs(ops) + MACS_PER_ELEMENT * sum(_written(op) for op in ops))


def _written(op: Op) -> int:
    return sum(map(_written, op.inner)) if op.inner else prod(op.output)


def _batches(space: GenotypeSpace, rng: np.random.Generator) -> Iterator[tuple[bool, np.ndarray]]:
    """Yield (whether it must be looked at, genotypes): all of a small space, else forced choices, then random ones."""
    if space.size is not None and space.size <= LISTED:
        yield True, space.enumerate(0, space.size)
        return
    for index, column in enumerate(space.columns):
        for choice in range(column.cardinality):
            yield True, _forced(space, index, choice, rng)
    while True:
        yield False, space.sample(BATCH, rng)


def _forced(space: GenotypeSpace, column: int, choice: int, rng: np.random.Generator) -> np.ndarray:
    """Return random genotypes in which `column` has `choice`, and the columns that it hangs on make it active."""
    rows = space.sample(CONTEXTS, rng)
    rows[:, column] = choice
    while space.columns[column].parent >= 0:
        rows[:, space.columns[column].parent] = space.columns[column].parent_choice
        column = space.columns[column].parent
    return space.repair(rows)
