"""The methods that the benchmarks of search quality compare: ours by name, and peers as installed.

A method is a function of a task, a seed and a number of evaluations, and returns the ranks of the candidates that it
evaluated, in order, repeats included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tabular_task import TabularTask

from search.algorithms._base import Problem, Results
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace

Method = Callable[[TabularTask, int, int], np.ndarray]
POPULATION = 50


def own(name: str, settings: dict[str, Any], task: TabularTask, seed: int, evaluations: int) -> np.ndarray:
    """Run an algorithm of this project, one proposal at a time; the cost, where there is one, is known to it."""

    def known(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cost = task.costs[task.ranks(genotypes)]
        unknown = np.full(len(genotypes), np.nan)
        if task.kind == "multi":
            return np.stack([unknown, -cost], axis=1), np.zeros(len(genotypes))
        return unknown[:, None], np.maximum(cost / task.cap - 1.0, 0.0)

    space = GenotypeSpace(task.space())
    algorithm = make_algorithm(name, **settings)
    algorithm.start(Problem(space, task.objectives, seed, None if task.kind == "single" else known))
    found: list[int] = []
    while len(found) < evaluations and len(genotypes := algorithm.propose(1)):
        ranks = task.ranks(genotypes)
        algorithm.learn(Results(genotypes, scores_of(task, ranks), np.zeros(len(ranks))))
        found += ranks.tolist()
    return np.array(found)


def scores_of(task: TabularTask, ranks: np.ndarray) -> np.ndarray:
    """Return the scores of candidates (n,), larger is better, shape (n, objectives)."""
    quality = task.quality[ranks]
    return np.stack([quality, -task.costs[ranks]], axis=1) if task.kind == "multi" else quality[:, None]


def optuna_sampler(sampler: str, task: TabularTask, seed: int, evaluations: int) -> np.ndarray:
    """Run an Optuna sampler with its defaults (NSGA-II: a population of 50); a cap is a constraint on the trial.

    Numbers in order are suggested as integers, their places in that order; other choices as categories.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made: Any = (
        optuna.samplers.TPESampler(seed=seed)
        if sampler == "tpe"
        else optuna.samplers.NSGAIISampler(seed=seed, population_size=POPULATION)
    )
    study = optuna.create_study(sampler=made, directions=["maximize"] * task.objectives)
    found: list[int] = []
    for _ in range(evaluations):
        trial = study.ask()
        genotype = [
            trial.suggest_int(f"decision{index}", 0, choices - 1)
            if index in task.ordered
            else trial.suggest_categorical(f"decision{index}", range(choices))
            for index, choices in enumerate(task.shape)
        ]
        ranks = task.ranks(np.array([genotype]))
        found += ranks.tolist()
        if task.kind == "capped":
            trial.set_constraint("cost", float(task.costs[ranks][0]) - task.cap)
        study.tell(trial, scores_of(task, ranks)[0].tolist())
    return np.array(found)


def pyglove_evolution(flow: str, task: TabularTask, seed: int, evaluations: int) -> np.ndarray:
    """Run PyGlove's regularized evolution (a cap is a penalty on the reward) or its NSGA-II."""
    import pyglove as pg

    mutator = pg.evolution.mutators.Uniform(seed=seed)
    algorithm = (
        pg.evolution.nsga2(mutator, population_size=POPULATION, seed=seed)
        if flow == "nsga2"
        else pg.evolution.regularized_evolution(mutator, population_size=POPULATION, tournament_size=10, seed=seed)
    )
    algorithm.setup(pg.dna_spec(pg.List([pg.oneof(list(range(choices))) for choices in task.shape])))
    found: list[int] = []
    for _ in range(evaluations):
        dna = algorithm.propose()
        ranks = task.ranks(np.array([dna.to_numbers()]))
        found += ranks.tolist()
        scores = scores_of(task, ranks)[0].tolist()
        excess = max(float(task.costs[ranks][0]) / task.cap - 1.0, 0.0) if task.kind == "capped" else 0.0
        if flow == "nsga2" and task.kind == "capped":
            scores.append(-float(task.costs[ranks][0]))
        algorithm.feedback(dna, tuple(scores) if flow == "nsga2" else scores[0] - 100.0 * excess)
    return np.array(found)


def pymoo_nsga2(task: TabularTask, seed: int, evaluations: int) -> np.ndarray:
    """Run pymoo's NSGA-II with uniform crossover, uniform mutation of choices and no repeats in a generation."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem as Shape
    from pymoo.operators.crossover.ux import UX
    from pymoo.operators.sampling.rnd import IntegerRandomSampling

    rng = np.random.default_rng([seed, 1])
    choices = np.array(task.shape)

    class OtherChoice(Mutation):  # type: ignore[misc]
        def _do(self, problem: object, X: np.ndarray, **_: object) -> np.ndarray:  # noqa: ARG002, N803
            moved = rng.random(X.shape) < 1.0 / len(choices)
            return np.where(moved, (X + rng.integers(1, choices, X.shape)) % choices, X).astype(int)

    algorithm = NSGA2(
        pop_size=POPULATION,
        sampling=IntegerRandomSampling(),
        crossover=UX(),
        mutation=OtherChoice(prob=1.0),
        eliminate_duplicates=True,
    )
    objectives = 1 if task.kind == "single" else 2
    shape = Shape(n_var=len(choices), n_obj=objectives, xl=np.zeros(len(choices), int), xu=choices - 1, vtype=int)
    algorithm.setup(shape, seed=seed, verbose=False)
    found: list[int] = []
    while len(found) < evaluations:
        population = algorithm.ask()
        ranks = task.ranks(population.get("X"))
        costs = [] if task.kind == "single" else [task.costs[ranks]]
        population.set("F", np.stack([-task.quality[ranks], *costs], axis=1))
        algorithm.tell(infills=population)
        found += ranks.tolist()
    return np.array(found[:evaluations])


PEERS: dict[str, tuple[Method, tuple[str, ...]]] = {
    "optuna_tpe": (partial(optuna_sampler, "tpe"), ("multi", "single", "capped")),
    "optuna_nsga2": (partial(optuna_sampler, "nsga2"), ("multi", "single", "capped")),
    "pyglove_evolution": (partial(pyglove_evolution, "evolution"), ("single", "capped")),
    "pyglove_nsga2": (partial(pyglove_evolution, "nsga2"), ("multi", "capped")),
    "pymoo_nsga2": (pymoo_nsga2, ("multi", "single", "capped")),
}
"""Peers, and the kinds of task that each can do; what searches both objectives is also read at the cap."""


def method(name: str) -> tuple[Method, tuple[str, ...]]:
    """Return a peer, or an algorithm of ours; raises ValueError for a name that is neither."""
    return PEERS.get(name) or (partial(own, name, {}), ("multi", "single", "capped"))
