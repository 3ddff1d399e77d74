"""The algorithm for who would rather not choose: it looks at the problem, picks another one, and says which and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms.distribution import Distribution
from search.algorithms.exhaustive import Exhaustive
from search.algorithms.nsga2 import NSGA2
from search.algorithms.predictor import MOST_OBJECTIVES, Predictor
from search.algorithms.regularized_evolution import RegularizedEvolution

MANY = 20_000
"""Trials beyond which an evaluation must cost next to nothing, so that a model's milliseconds would rule."""

PICKS: dict[str, type[Algorithm]] = {
    made.name: made for made in (Distribution, Exhaustive, NSGA2, Predictor, RegularizedEvolution)
}


@dataclass
class Auto(Algorithm):
    """Picks by what preparations have learnt, the number of objectives, what is known of them, the size and the budget.

    `distribution` where there is a learned one. Else `predictor`, which finds most with the fewest evaluations
    wherever it was measured (`docs/algorithms.md`), but `nsga2` for more objectives than its improvement is computed
    for; and in a study of more than `MANY` trials, whose evaluations must be cheap, `regularized_evolution` or `nsga2`
    by the number of objectives - or `exhaustive`, when that many trials list the whole space. Its choice is part of its
    state: a study that is extended keeps it.
    """

    name: ClassVar[str] = "auto"
    source: ClassVar[str] = "ours, from the measurements of docs/algorithms.md"

    def start(self, problem: Problem) -> None:
        """Pick, and start what was picked. Raises what that raises."""
        super().start(problem)
        self._begin(pick(problem)[0])

    def _begin(self, name: str) -> None:
        self._picked = PICKS[name]()
        self._picked.start(self._problem)

    @property
    def picked(self) -> str:
        """The name of the algorithm that proposes."""
        return self._picked.name

    @property
    def remark(self) -> str:
        """What was picked, and why."""
        name, why = pick(self._problem)
        kept = "" if name == self.picked else f", kept from the study's beginning; now it would be {name}"
        return f"auto picked {self.picked}{kept}: {why}"

    @property
    def exhausted(self) -> bool:
        """See `Algorithm`."""
        return self._picked.exhausted

    def propose(self, count: int) -> np.ndarray:
        """Propose what the picked algorithm does."""
        return self._picked.propose(count)

    def _draw(self, count: int) -> np.ndarray:
        return self._picked._draw(count)

    def learn(self, results: Results) -> None:
        """Let the picked algorithm learn."""
        self._picked.learn(results)

    def state(self) -> dict[str, Any]:
        """Return the picked algorithm's name and state."""
        return {"picked": self.picked, "state": self._picked.state()}

    def notes(self, genotypes: np.ndarray) -> list[str]:
        """Return what the algorithm that proposed has to say."""
        return self._picked.notes(genotypes)

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on with the algorithm that was picked then. Raises KeyError for one that is never picked."""
        if state["picked"] != self.picked:
            self._begin(state["picked"])
        self._picked.restore(state["state"], proposed, results)

    def follow(self, state: dict[str, Any], proposed: np.ndarray, notes: Sequence[str], results: Results) -> bool:
        """See `Algorithm`."""
        return state["picked"] == self.picked and self._picked.follow(state["state"], proposed, notes, results)


def pick(problem: Problem) -> tuple[str, str]:
    """Return the name of the algorithm for a problem, and in a line what speaks for it."""
    size, budget, objectives = problem.space.size, problem.budget, problem.objectives
    if learnt := len(problem.distributions):
        return Distribution.name, f"preparations have learnt {learnt} distribution{'s' if learnt > 1 else ''}"
    facts = f"{objectives} objective{'s' if objectives > 1 else ''}"
    if problem.known is not None:
        facts += ", what is known of them or of their bounds taken exactly"
    if budget is not None and budget > MANY:
        if size is not None and size <= budget:
            return Exhaustive.name, f"{budget:,} trials list all {size:,} candidates"
        chosen = NSGA2 if objectives > 1 else RegularizedEvolution
        return chosen.name, f"{facts}, and {budget:,} trials, for which a model of them would cost too much"
    if objectives > MOST_OBJECTIVES:
        return NSGA2.name, f"{facts}, more than the {MOST_OBJECTIVES} that predictor takes"
    return Predictor.name, f"{facts}, {f'{size:,} candidates' if size is not None else 'open floats'}"
