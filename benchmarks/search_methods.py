"""The methods that `search_quality.py` compares: ours by name, and peers as installed; each proposes cells of a task.

A method is a function of a task, a seed and a number of evaluations, and returns the ranks of the cells that it
evaluated, in order, repeats included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from nasbench201_tasks import Task, ranks

from search.algorithms._base import Problem, Results
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace
from spaces.nasbench201 import nasbench201

Method = Callable[[Task, int, int], np.ndarray]
POPULATION = 50
CHOICES = 5
EDGES = 6


def own(name: str, settings: dict[str, Any], task: Task, seed: int, evaluations: int) -> np.ndarray:
    """Run an algorithm of this project, one proposal at a time; latency, where it matters, is known to it."""

    def known(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        latency_ms = task.latency_ms[ranks(genotypes)]
        unknown = np.full(len(genotypes), np.nan)
        if task.kind == "multi":
            return np.stack([unknown, -latency_ms], axis=1), np.zeros(len(genotypes))
        return unknown[:, None], np.maximum(latency_ms / task.cap_ms - 1.0, 0.0)

    space = GenotypeSpace(nasbench201())
    algorithm = make_algorithm(name, **settings)
    objectives = 2 if task.kind == "multi" else 1
    algorithm.start(Problem(space, objectives, seed, None if task.kind == "single" else known))
    found: list[int] = []
    while len(found) < evaluations and len(genotypes := algorithm.propose(1)):
        cells = ranks(genotypes)
        scores = np.stack([task.accuracy[cells], -task.latency_ms[cells]], axis=1)[:, :objectives]
        algorithm.learn(Results(genotypes, scores, np.zeros(len(cells))))
        found += cells.tolist()
    return np.array(found)


def optuna_sampler(sampler: str, task: Task, seed: int, evaluations: int) -> np.ndarray:
    """Run an Optuna sampler with its defaults (NSGA-II: a population of 50); a cap is a constraint on the trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made: Any = (
        optuna.samplers.TPESampler(seed=seed)
        if sampler == "tpe"
        else optuna.samplers.NSGAIISampler(seed=seed, population_size=POPULATION)
    )
    directions = ["maximize", "minimize"] if task.kind == "multi" else ["maximize"]
    study = optuna.create_study(sampler=made, directions=directions)
    found: list[int] = []
    for _ in range(evaluations):
        trial = study.ask()
        cell = np.array([[trial.suggest_categorical(f"edge{edge}", range(CHOICES)) for edge in range(EDGES)]])
        rank = int(ranks(cell)[0])
        found.append(rank)
        if task.kind == "capped":
            trial.set_constraint("latency", task.latency_ms[rank] - task.cap_ms)
        values = [float(task.accuracy[rank]), float(task.latency_ms[rank])]
        study.tell(trial, values[: len(directions)])
    return np.array(found)


def pyglove_evolution(flow: str, task: Task, seed: int, evaluations: int) -> np.ndarray:
    """Run PyGlove's regularized evolution (a cap is a penalty on the reward) or its NSGA-II."""
    import pyglove as pg

    mutator = pg.evolution.mutators.Uniform(seed=seed)
    algorithm = (
        pg.evolution.nsga2(mutator, population_size=POPULATION, seed=seed)
        if flow == "nsga2"
        else pg.evolution.regularized_evolution(mutator, population_size=POPULATION, tournament_size=10, seed=seed)
    )
    algorithm.setup(pg.dna_spec(pg.List([pg.oneof(list(range(CHOICES))) for _ in range(EDGES)])))
    found: list[int] = []
    for _ in range(evaluations):
        dna = algorithm.propose()
        rank = int(ranks(np.array([dna.to_numbers()]))[0])
        found.append(rank)
        accuracy, latency_ms = float(task.accuracy[rank]), float(task.latency_ms[rank])
        excess = max(latency_ms / task.cap_ms - 1.0, 0.0) if task.kind == "capped" else 0.0
        algorithm.feedback(dna, (accuracy, -latency_ms) if flow == "nsga2" else accuracy - 100.0 * excess)
    return np.array(found)


def pymoo_nsga2(task: Task, seed: int, evaluations: int) -> np.ndarray:
    """Run pymoo's NSGA-II with uniform crossover, uniform mutation of choices and no repeats in a generation."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem as Shape
    from pymoo.operators.crossover.ux import UX
    from pymoo.operators.sampling.rnd import IntegerRandomSampling

    rng = np.random.default_rng([seed, 1])

    class OtherChoice(Mutation):  # type: ignore[misc]
        def _do(self, problem: object, X: np.ndarray, **_: object) -> np.ndarray:  # noqa: ARG002, N803
            moved = rng.random(X.shape) < 1.0 / EDGES
            return np.where(moved, (X + rng.integers(1, CHOICES, X.shape)) % CHOICES, X).astype(int)

    algorithm = NSGA2(
        pop_size=POPULATION,
        sampling=IntegerRandomSampling(),
        crossover=UX(),
        mutation=OtherChoice(prob=1.0),
        eliminate_duplicates=True,
    )
    algorithm.setup(Shape(n_var=EDGES, n_obj=2, xl=0, xu=CHOICES - 1, vtype=int), seed=seed, verbose=False)
    found: list[int] = []
    while len(found) < evaluations:
        population = algorithm.ask()
        cells = ranks(population.get("X"))
        population.set("F", np.stack([-task.accuracy[cells], task.latency_ms[cells]], axis=1))
        algorithm.tell(infills=population)
        found += cells.tolist()
    return np.array(found[:evaluations])


PEERS: dict[str, tuple[Method, tuple[str, ...]]] = {
    "optuna_tpe": (partial(optuna_sampler, "tpe"), ("multi", "single", "capped")),
    "optuna_nsga2": (partial(optuna_sampler, "nsga2"), ("multi", "single", "capped")),
    "pyglove_evolution": (partial(pyglove_evolution, "evolution"), ("single", "capped")),
    "pyglove_nsga2": (partial(pyglove_evolution, "nsga2"), ("multi", "capped")),
    "pymoo_nsga2": (pymoo_nsga2, ("multi", "capped")),
}
"""Peers, and the kinds of task that each can do; what searches both objectives is also read at the cap."""


def method(name: str) -> tuple[Method, tuple[str, ...]]:
    """Return a peer, or an algorithm of ours; raises ValueError for a name that is neither."""
    return PEERS.get(name) or (partial(own, name, {}), ("multi", "single", "capped"))
