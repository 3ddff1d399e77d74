"""Metrics of genotypes by models of operators: listed, remembered or compiled, whichever is cheapest."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from hardware_models._base import AdditiveModel, HardwareModel
from hardware_models.architecture import members_of_cost
from search.costing.bounds import Bounds
from search.costing.checks import MiscompiledError
from search.costing.compiled import CompiledCosts
from search.costing.domain import Domain, NotCompilableError
from search.costing.keyed import KeyedCosts, keyed
from search.costing.listed import ListedCosts, listable
from search.costing.one_by_one import OneByOne
from search.costing.probe import OutOfBudgetError, Probe
from spaces.genotype import GenotypeSpace

COMPILED_AFTER = 1_200
"""Genotypes that are costed one by one before anything is compiled: more than a small study asks for."""


class OperatorCosts:
    """What hardware models say of a space's genotypes.

    A small space is listed: each genotype is costed once. Those of a larger one are costed one by one and remembered;
    where all models are additive, the space is compiled when so many were asked for that compiling costs no more, or
    costed from the keys that it has for its operators.
    """

    def __init__(self, space: GenotypeSpace, models: Sequence[HardwareModel]) -> None:
        self._columns: np.ndarray
        found = space.members(members_of_cost(space.value))
        self._part, self._columns = found or (space, np.arange(space.width))
        self._bounds = Bounds(self._part)
        self._single = OneByOne(self._part, models)
        self._listed = ListedCosts(self._part, self._single) if listable(self._part) else None
        self._compiled: CompiledCosts | KeyedCosts | None = None
        self._keyed = keyed(self._part)
        self._models = [model for model in models if isinstance(model, AdditiveModel)]
        self._compilable = len(self._models) == len(models)
        self._probe = Probe(self._part, self._single.ops, self._models)
        self._next_attempt = COMPILED_AFTER

    @property
    def compiled(self) -> bool:
        """Whether metrics are taken from tables."""
        return self._compiled is not None

    def __call__(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the metrics of canonical genotypes (n, width), (n, metrics) float64, in the order of the models.

        Raises:
          ValueError: for a value that its column does not have.
          Exception: what a model raises for a genotype's operators.
        """
        rows = np.ascontiguousarray(genotypes[:, self._columns], self._part.dtype)
        self._bounds.check(rows)
        if self._listed is not None:
            return self._listed(rows)
        if self._compilable and self._compiled is None:
            self._consider(rows)
        if self._compiled is None:
            return self._single.remembered(rows)
        try:
            return self._compiled(rows)
        except MiscompiledError as error:
            self._compiled, self._compilable = None, False
            warnings.warn(
                f"known metrics are computed one by one from now on: {error}; those of other genotypes "
                "may have been wrong too. The space's `ops()` or a hardware model's `terms` and `total` need a look",
                RuntimeWarning,
                stacklevel=2,
            )
            return self._single.remembered(rows)

    def _consider(self, rows: np.ndarray) -> None:
        """Compile the space if that takes no more candidates than were asked for; try again at twice as many."""
        asked = self._single.decoded + len(rows)
        if asked >= self._next_attempt and len(rows) < COMPILED_AFTER:
            asked = self._single.decoded + self._single.new(rows)
        if asked < self._next_attempt:
            return
        if self._keyed is not None:
            self._compiled = KeyedCosts(self._part, self._keyed, self._models, self._single.costs)
            return
        self._probe.budget, self._next_attempt = asked, 2 * asked
        try:
            self._compiled = CompiledCosts(Domain(self._part), self._probe, self._models, self._single.costs)
        except OutOfBudgetError:
            return
        except NotCompilableError:
            self._compilable = False
