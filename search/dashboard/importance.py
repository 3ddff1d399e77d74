"""How much each decision matters for a metric: PED-ANOVA, run in a process of its own.

Source: Watanabe, Bansal and Hutter, PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces, IJCAI 2023, as Optuna keeps it (`PedAnovaImportanceEvaluator`, its defaults): how far the distribution of a
decision among the best tenth of the trials is from that among all of them.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

METHOD = "PED-ANOVA (Watanabe et al., IJCAI 2023; Optuna)"
SAMPLE = 2000
"""How many trials are looked at; of more, a seeded sample."""

HALVES = 3
"""How many random halves of the trials tell the spread."""

LEAST = 20
"""Of fewer completed trials nothing is said."""


@dataclass(frozen=True, slots=True)
class Question:
    """What importance is asked of.

    Attributes:
      losses: (n,) a metric of completed trials, less is better.
      genotypes: (n, d).
      active: (n, d), bool: which decisions are in force.
      choices: of each decision, how many choices it has; 0 for a float.
      bounds: of each decision, its least and largest value.
    """

    losses: np.ndarray
    genotypes: np.ndarray
    active: np.ndarray
    choices: Sequence[int]
    bounds: Sequence[tuple[float, float]]

    def sample(self, rows: np.ndarray) -> Question:
        """Return the question of some of the trials."""
        return Question(self.losses[rows], self.genotypes[rows], self.active[rows], self.choices, self.bounds)


class Analyst:
    """Answers questions one at a time, in a process that is started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def importances(self, question: Question) -> tuple[np.ndarray, np.ndarray]:
        """Return each decision's importance (d,), 1 in all, and its standard deviation between random halves (d,)."""
        with self._lock:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, get_context("spawn"), os.nice, (10,))
            try:
                return self._pool.submit(importances, question).result()
            except BrokenProcessPool:
                self._pool = None
                raise

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None


def importances(question: Question) -> tuple[np.ndarray, np.ndarray]:
    """Return what `Analyst.importances` returns, computed here."""
    rng = np.random.default_rng(0)
    count = len(question.losses)
    again = [_ped_anova(question.sample(rng.permutation(count)[: count // 2])) for _ in range(HALVES)]
    return _ped_anova(question), np.std(again, axis=0)


def _ped_anova(question: Question) -> np.ndarray:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(direction="minimize")
        study.add_trials(_trials(question))
        found = optuna.importance.PedAnovaImportanceEvaluator().evaluate(study)
    given = np.array([max(found.get(str(index), 0.0), 0.0) for index in range(len(question.choices))])
    total = given.sum()
    return given / total if total > 0 else given


def _trials(question: Question) -> list[Any]:
    """Return the trials as Optuna has them; a decision that is not in force is no parameter of its trial."""
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.trial import create_trial

    domains: list[BaseDistribution] = [
        CategoricalDistribution(range(count)) if count else FloatDistribution(*bounds)
        for count, bounds in zip(question.choices, question.bounds, strict=True)
    ]
    varied = [index for index, domain in enumerate(domains) if not domain.single() and question.active[:, index].any()]
    trials = []
    for loss, genotype, active in zip(
        question.losses.tolist(), question.genotypes.tolist(), question.active.tolist(), strict=True
    ):
        on = [index for index in varied if active[index]]
        params = {str(index): int(genotype[index]) if question.choices[index] else genotype[index] for index in on}
        trials.append(
            create_trial(value=loss, params=params, distributions={str(index): domains[index] for index in on})
        )
    return trials
