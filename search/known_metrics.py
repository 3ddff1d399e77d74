"""Known metrics: what hardware models say of any genotype, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hardware_models._base import GenotypeModel
from search.costing.operator_costs import OperatorCosts
from search.objectives import Constraint, Objective

if TYPE_CHECKING:
    from hardware_models._base import HardwareModel
    from search.algorithms._base import KnownScores
    from spaces.genotype import GenotypeSpace


class KnownMetrics:
    """Hardware models compiled against a space, any number of devices at once: docs/costing.md says how.

    Attributes:
      names: the metrics' names, in the order of the models.
    """

    def __init__(self, space: GenotypeSpace, models: Sequence[HardwareModel | GenotypeModel]) -> None:
        """Take models whose metrics' names differ.

        Raises ValueError where two give the same metric, or none any, and for a model learnt on another space.
        """
        self.names: tuple[str, ...] = tuple(name for model in models for name in model.metrics)
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(
                f"metric {twice[0]!r} is given by two hardware models; name them apart, e.g. {twice[0]}@DEVICE"
            )
        if not self.names:
            raise ValueError("known metrics need at least one hardware model with a metric")
        self._space = space
        self._learnt = [model for model in models if isinstance(model, GenotypeModel)]
        for model in self._learnt:
            home = getattr(model, "space", None)
            if home is not None:
                home.check(space)
        others = [model for model in models if not isinstance(model, GenotypeModel)]
        self._operators = OperatorCosts(space, others) if others else None
        given = [name for model in others for name in model.metrics]
        given += [name for model in self._learnt for name in model.metrics]
        self._order = [given.index(name) for name in self.names]

    def __call__(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the metrics of genotypes (n, width) as float64 of shape (n, len(names)), always finite.

        Raises what a model raises (an operator that a latency table lacks), ValueError for a value that is not finite.
        """
        rows = np.asarray(genotypes)
        if rows.ndim != 2 or rows.shape[1] != self._space.width:
            raise ValueError(f"genotypes must have shape (n, {self._space.width}), got {rows.shape}")
        parts = [self._operators(rows)] if self._operators is not None else []
        for model in self._learnt:
            parts.append(np.asarray(model.costs(rows), np.float64).reshape(len(rows), len(model.metrics)))
        costs = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        costs = costs if self._order == sorted(self._order) else costs[:, self._order]
        self._check(costs)
        return costs

    def _check(self, costs: np.ndarray) -> None:
        with np.errstate(all="ignore"):
            if np.isfinite(costs.sum()):  # several times as fast as looking at each
                return
        for values in costs[~np.isfinite(costs).all(axis=1)].tolist():
            raise ValueError(
                f"hardware models gave {dict(zip(self.names, values, strict=True))}: expected finite numbers"
            )


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
