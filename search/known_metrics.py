"""Known metrics: what hardware models say of any genotype, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_models.architecture import architecture_of
from search.objectives import Constraint, Objective

if TYPE_CHECKING:
    from hardware_models._base import HardwareModel
    from search.algorithms._base import KnownScores
    from spaces.genotype import GenotypeSpace

REMEMBERED = 1_000_000
"""Genotypes whose metrics are kept; beyond that the memory is emptied."""


class KnownMetrics:
    """Hardware models compiled against a space.

    Attributes:
      names: the metrics' names, in the order of the models.
    """

    def __init__(self, space: GenotypeSpace, models: Sequence[HardwareModel]) -> None:
        """Take models whose metrics' names differ. Raises ValueError where two give the same metric, or none any."""
        self.names: tuple[str, ...] = tuple(name for model in models for name in model.metrics)
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(
                f"metric {twice[0]!r} is given by two hardware models; name them apart, e.g. {twice[0]}@DEVICE"
            )
        if not self.names:
            raise ValueError("known metrics need at least one hardware model with a metric")
        self._space = space
        self._models = tuple(models)
        self._memory: dict[bytes, np.ndarray] = {}

    def __call__(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the metrics of genotypes (n, width) as float64 of shape (n, len(names)), always finite.

        Raises what a model raises (an operator that a latency table lacks), ValueError for a value that is not finite.
        """
        keys = self._space.keys(genotypes)
        if len(self._memory) > REMEMBERED:
            self._memory.clear()
        for key, genotype in zip(keys, genotypes, strict=True):
            if key not in self._memory:
                self._memory[key] = self._cost(genotype)
        return np.array([self._memory[key] for key in keys], np.float64).reshape(len(keys), len(self.names))

    def _cost(self, genotype: np.ndarray) -> np.ndarray:
        found: dict[str, float] = {}
        ops: Any = None
        for model in self._models:
            costs = getattr(model, "costs", None)
            if costs is not None:
                found.update(zip(model.metrics, costs(genotype[None])[0].tolist(), strict=True))
                continue
            ops = architecture_of(self._space.decode(genotype)).ops() if ops is None else ops
            found.update(model(ops))
        values = np.array([found[name] for name in self.names], np.float64)
        if not np.isfinite(values).all():
            raise ValueError(
                f"hardware models gave {dict(zip(self.names, values.tolist(), strict=True))}: expected finite numbers"
            )
        return values


def known_scores(
    known: KnownMetrics, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> KnownScores | None:
    """Return what an algorithm may ask of genotypes before they are evaluated; None if nothing known bears on it."""
    if not ({o.metric for o in objectives} | {c.metric for c in constraints}) & set(known.names):
        return None

    def score(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        columns = dict(zip(known.names, known(genotypes).T, strict=True))
        unknown = np.full(len(genotypes), np.nan)
        scores = [objective.sign * columns.get(objective.metric, unknown) for objective in objectives]
        violations = np.zeros(len(genotypes))
        for constraint in constraints:
            violations += constraint.excess(columns.get(constraint.metric, unknown))
        return np.stack(scores, axis=1), violations

    return score
