"""A probe: what the operators of a genotype's candidate add up to, found by decoding it, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hardware_models._base import AdditiveModel
from hardware_models.op import Op
from search.costing.domain import NotCompilableError
from spaces.genotype import GenotypeSpace

CHECKS = 2
"""Random 64-bit numbers that stand for an operator."""


class OutOfBudgetError(RuntimeError):
    """More candidates would have to be decoded than it is worth."""


class Probe:
    """Sums over the operators of candidates, remembered by genotype.

    Check sums, (n, 2) int64, add up random numbers that stand for each operator, modulo 2^64. Two sums of networks are
    equal if the networks hold the same operators equally often, and else differ but for a chance of 2^-128.

    Attributes:
      budget: how many candidates may be decoded in all.
      spent: how many were.
      widths: how many terms each model has; none before an operator is met that every model knows.
    """

    def __init__(
        self, space: GenotypeSpace, ops_of: Callable[[np.ndarray], Sequence[Op]], models: Sequence[AdditiveModel]
    ) -> None:
        self.budget, self.spent = 0, 0
        self.widths: tuple[int, ...] = ()
        self._space, self._ops_of, self._models = space, ops_of, models
        self._random = np.random.default_rng(0)
        self._known: dict[Op, int] = {}
        self._op_checks: list[np.ndarray] = []
        self._op_terms: list[np.ndarray | None] = []
        self._terms = np.zeros((0, 0))
        self._sums: dict[bytes, tuple[np.ndarray, tuple[int, ...]]] = {}

    def checks(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the check sums of canonical genotypes (n, width), (n, 2) int64; raise what `_decoded` does."""
        return np.array([checks for checks, _ in self._of(genotypes)], np.int64).reshape(-1, CHECKS)

    def terms(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the sums of all models' terms, (n, t + 1), the last the number of operators that one does not know.

        Equal operators give equal sums, in whatever order they stand. Raises what `_decoded` does.
        """
        found = self._of(genotypes)
        table = self._table()
        return np.array([table[list(ops)].sum(axis=0) for _, ops in found]).reshape(len(found), table.shape[1])

    def _table(self) -> np.ndarray:
        """Return the terms of all operators met so far, (operators, t + 1)."""
        if len(self._terms) == len(self._op_terms):
            return self._terms
        unknown = np.append(np.zeros(sum(self.widths)), 1.0)
        rows = [unknown if terms is None else np.append(terms, 0.0) for terms in self._op_terms]
        self._terms = np.array(rows, np.float64).reshape(-1, len(unknown))
        return self._terms

    def _of(self, genotypes: np.ndarray) -> list[tuple[np.ndarray, tuple[int, ...]]]:
        keys = self._space.keys(genotypes)
        for key, genotype in zip(keys, genotypes, strict=True):
            if key not in self._sums:
                self._sums[key] = self._decoded(genotype)
        return [self._sums[key] for key in keys]

    def _decoded(self, genotype: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return a genotype's check sums and operators.

        Raises:
          OutOfBudgetError: when the budget is spent.
          NotCompilableError: when the candidate has no operators.
        """
        if self.spent >= self.budget:
            raise OutOfBudgetError(f"{self.spent} candidates were decoded")
        self.spent += 1
        try:
            found = self._ops_of(genotype)
        except Exception as error:  # whoever asks for this genotype is told
            raise NotCompilableError(f"genotype {genotype.tolist()} has no operators: {error}") from error
        ops = tuple(sorted(self._index(op) for op in found))
        checks: np.ndarray = np.array([self._op_checks[op] for op in ops], np.int64).reshape(-1, CHECKS)
        return checks.sum(axis=0), ops

    def _index(self, op: Op) -> int:
        if op not in self._known:
            self._known[op] = len(self._known)
            self._op_checks.append(self._random.integers(-(2**63), 2**63, CHECKS, np.int64))
            self._op_terms.append(self._terms_of(op))
        return self._known[op]

    def _terms_of(self, op: Op) -> np.ndarray | None:
        """Return all models' terms of one operator; None where a model has none, or none that is finite."""
        try:
            parts = [np.asarray(model.terms(op), np.float64) for model in self._models]
        except (LookupError, ValueError):  # whoever asks for a network that holds it is told
            return None
        terms = np.concatenate(parts)
        if not np.isfinite(terms).all():
            return None
        self.widths = self.widths or tuple(len(part) for part in parts)
        return terms
