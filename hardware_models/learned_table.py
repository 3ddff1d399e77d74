"""A latency table that is learnt from whole networks: what each choice of each decision adds to the latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware_models.held_out import HeldOut
from hardware_models.space_identity import SpaceIdentity
from hardware_models.table_origin import Origin


@dataclass(frozen=True, slots=True)
class PairEffects:
    """What two decisions add together beyond what each adds alone, in ms: a row for each choice of the first."""

    first: int
    second: int
    effects_ms: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class LearnedTable:
    """The model of one device and space: `latency_ms` of any genotype, without its operators.

    latency = intercept + sum of the effects of the choices in force + sum of the pairs' effects, and at least
    `least_ms`: sums extrapolate below zero where choices that do nothing come together.

    Attributes:
      space: whose genotypes it costs.
      origin: where it comes from.
      intercept_ms: what every network takes.
      effects_ms: for each decision, what each of its choices adds.
      pairs: of decisions that interact; mostly none.
      validation: its error on networks that a fit did not see; None where nothing was held out.
      least_ms: what no network is below: where all were measured, the least of them, else 0.
    """

    space: SpaceIdentity
    origin: Origin
    intercept_ms: float
    effects_ms: tuple[tuple[float, ...], ...]
    pairs: tuple[PairEffects, ...] = ()
    validation: HeldOut | None = None
    least_ms: float = 0.0

    @property
    def metrics(self) -> tuple[str, ...]:
        """`latency_ms` alone."""
        return ("latency_ms",)

    @property
    def entries(self) -> int:
        """How many numbers it holds besides the intercept."""
        return sum(map(len, self.effects_ms)) + sum(len(row) for pair in self.pairs for row in pair.effects_ms)

    def costs(self, genotypes: np.ndarray) -> np.ndarray:
        """Return `latency_ms` of genotypes (n, width) as (n, 1), float64.

        Raises:
          ValueError: for another shape, or a choice that the space does not have.
        """
        rows = self.space.rows(genotypes)
        on = self.space.active(rows)
        total = np.full(len(rows), self.intercept_ms)
        for decision, effects in enumerate(self.effects_ms):
            total += np.where(on[:, decision], np.array(effects)[rows[:, decision]], 0.0)
        for pair in self.pairs:
            added = np.array(pair.effects_ms)[rows[:, pair.first], rows[:, pair.second]]
            total += np.where(on[:, pair.first] & on[:, pair.second], added, 0.0)
        found: np.ndarray = np.maximum(total, self.least_ms)[:, None]
        return found

    def relative_to(self, genotype: Sequence[int]) -> LearnedTable:
        """Return the same table with the choices of `genotype` at zero: effects are known only up to a constant.

        What is taken from a decision's effects goes to the choice that it hangs on, or to the intercept.
        """
        return _regauged(self, lambda decision, effects: effects[genotype[decision]])

    def centred(self) -> LearnedTable:
        """Return the same table with each decision's effects at mean zero, which is how `learn` gives them."""
        return _regauged(self, lambda _, effects: float(np.mean(effects)))

    def to_json(self) -> str:
        """Return the table as one JSON document, which `hardware_models.documents.load_model` reads back exactly."""
        from hardware_models.genotype_table_json import dump

        return dump(self)


def _regauged(table: LearnedTable, level_of: Callable[[int, np.ndarray], float]) -> LearnedTable:
    """Return `table` with `level_of(decision, effects)` taken from each decision's effects, the deepest first."""
    effects, intercept = [np.array(row) for row in table.effects_ms], table.intercept_ms
    for decision in reversed(range(table.space.width)):
        level = float(level_of(decision, effects[decision]))
        effects[decision] -= level
        parent = table.space.parents[decision]
        if parent >= 0:
            effects[parent][table.space.parent_choices[decision]] += level
        else:
            intercept += level
    return replace(table, intercept_ms=intercept, effects_ms=tuple(tuple(row.tolist()) for row in effects))
