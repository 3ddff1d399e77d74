"""The problem that a study's algorithm is asked to solve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.algorithms._base import Problem
from search.known_metrics import KnownMetrics, known_scores
from search.objectives import Constraint, Objective

if TYPE_CHECKING:
    from search.algorithms._learned import LogProbabilities
    from spaces.genotype import GenotypeSpace


def problem_of(
    space: GenotypeSpace,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    *,
    seed: int,
    budget: int,
    known: KnownMetrics | None,
    distributions: Sequence[LogProbabilities] = (),
) -> Problem:
    """Return the problem; with learned distributions, which are decoded within them, bounds that add up come along."""
    from search.costing.additive import budgets_of

    score = known_scores(known, objectives, constraints) if known is not None else None
    costs = budgets_of(space, known, constraints) if distributions and known is not None else ()
    return Problem(space, len(objectives), seed, score, budget, tuple(distributions), costs)
