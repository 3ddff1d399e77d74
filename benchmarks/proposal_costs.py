"""Algorithms and peers that have many trials behind them, and what CPU their next proposals take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace

DECISIONS, CHOICES, BATCH = 22, 9, 64
PAIRS = np.random.default_rng(7).random((DECISIONS - 1, CHOICES, CHOICES))
"""What two neighbouring decisions add to the first objective, which only an evaluation shows."""

LAYERS = np.random.default_rng(8).random((DECISIONS, CHOICES))
"""What a decision adds to the cost, the second objective, as a latency table has it."""

Cost = tuple[float, float]
"""CPU ms a trial: of `propose` and of `learn`."""


def quality_of(genotypes: np.ndarray) -> np.ndarray:
    """Return the first score of genotypes (n, decisions), larger is better, shape (n,)."""
    choices = genotypes.astype(np.intp)
    found: np.ndarray = PAIRS[np.arange(DECISIONS - 1), choices[:, :-1], choices[:, 1:]].sum(axis=1)
    return found


def cost_of(genotypes: np.ndarray) -> np.ndarray:
    """Return the cost of genotypes (n, decisions), smaller is better, shape (n,)."""
    found: np.ndarray = LAYERS[np.arange(DECISIONS), genotypes].sum(axis=1)
    return found


def symbolic_space() -> Any:
    """Return the symbolic space."""
    return pg.List([pg.oneof(list(range(CHOICES))) for _ in range(DECISIONS)])


class Measured:
    """An algorithm of ours that goes on from many trials; the second of two objectives is known to it."""

    def __init__(self, name: str, objectives: int) -> None:
        """Begin without trials. Raises ValueError where the algorithm does not take so many objectives."""
        self._objectives = objectives
        self._space = GenotypeSpace(symbolic_space())
        self._algorithm: Algorithm = make_algorithm(name)
        self._algorithm.start(Problem(self._space, objectives, 0, self._known if objectives > 1 else None))

    def _known(self, genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        unknown = np.full(len(genotypes), np.nan)
        return np.stack([unknown, -cost_of(genotypes)], axis=1), np.zeros(len(genotypes))

    def _results(self, genotypes: np.ndarray) -> Results:
        scores = np.stack([quality_of(genotypes), -cost_of(genotypes)], axis=1)[:, : self._objectives]
        return Results(genotypes, scores, np.zeros(len(genotypes)))

    def grow(self, trials: int) -> Measured:
        """Make so many trials in batches."""
        for _ in range(0, trials, BATCH):
            self._algorithm.learn(self._results(self._algorithm.propose(BATCH)))
        return self

    def give(self, trials: int) -> Measured:
        """Restore it with so many random trials."""
        past = self._space.sample(trials, np.random.default_rng(1))
        past = past[self._space.unique(past)]
        self._algorithm.restore(self._algorithm.state(), past, self._results(past))
        return self

    def spent(self, trials: int, batch: int) -> Cost:
        """Go on by so many trials and return what they cost."""
        proposing = learning = 0.0
        for _ in range(0, trials, batch):
            began = time.process_time()
            genotypes = self._algorithm.propose(batch)
            proposed = time.process_time()
            results = self._results(genotypes)
            scored = time.process_time()
            self._algorithm.learn(results)
            proposing, learning = proposing + proposed - began, learning + time.process_time() - scored
        return proposing / trials * 1e3, learning / trials * 1e3


def optuna_with(sampler: str, past: int) -> Callable[[int], float]:
    """Return what measures an Optuna sampler in memory after `past` trials: trials -> CPU ms of each."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=0), direction="maximize")

    def step() -> None:
        trial = study.ask()
        genotype = [trial.suggest_categorical(f"x{index}", range(CHOICES)) for index in range(DECISIONS)]
        study.tell(trial, float(quality_of(np.array([genotype]))[0]))

    return _measuring(step, past)


def pyglove_evolution(past: int) -> Callable[[int], float]:
    """Return what measures PyGlove's regularized evolution; its proposals are never decoded."""
    algorithm = pg.evolution.regularized_evolution(population_size=50, tournament_size=10, seed=0)
    algorithm.setup(pg.dna_spec(symbolic_space()))

    def step() -> None:
        dna = algorithm.propose()
        algorithm.feedback(dna, float(quality_of(np.array([dna.to_numbers()]))[0]))

    return _measuring(step, past)


def pymoo_nsga2(past: int) -> Callable[[int], float]:
    """Return what measures pymoo's NSGA-II with two objectives, in batches."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem as Shape
    from pymoo.operators.sampling.rnd import IntegerRandomSampling

    algorithm = NSGA2(pop_size=BATCH, sampling=IntegerRandomSampling())
    algorithm.setup(Shape(n_var=DECISIONS, n_obj=2, xl=0, xu=CHOICES - 1, vtype=int), seed=0, verbose=False)

    def step() -> None:
        population = algorithm.ask()
        found = population.get("X").astype(int)
        population.set("F", np.stack([-quality_of(found), cost_of(found)], axis=1))
        algorithm.tell(infills=population)

    return _measuring(step, past, BATCH)


def _measuring(step: Callable[[], None], past: int, batch: int = 1) -> Callable[[int], float]:
    for _ in range(0, past, batch):
        step()

    def spent(trials: int) -> float:
        began = time.process_time()
        for _ in range(0, trials, batch):
            step()
        return (time.process_time() - began) / trials * 1e3

    return spent
