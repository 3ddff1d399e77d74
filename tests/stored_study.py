"""A small study that tests of storage drive by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pyglove as pg

from search.algorithms.random import Random
from search.algorithms.regularized_evolution import RegularizedEvolution
from search.objectives import parse_constraints, parse_objectives
from search.storage import Storage
from search.study import Study
from search.trials import Trial
from spaces.genotype import GenotypeSpace

SPACE = GenotypeSpace(
    pg.Dict(kernel=pg.oneof([3, 5, 7]), width=pg.oneof(list(range(16))), depth=pg.oneof([1, 2, 3, 4]))
)
OBJECTIVES = {"accuracy": "maximize", "latency_ms": "minimize"}


def make_study(storage: Storage, name: str = "s", **changes: Any) -> Study:
    """Return a study of 192 genotypes, made or resumed."""
    given: dict[str, Any] = {"space": SPACE, "algorithm": Random(), "max_trials": 10, "constraints": (), **changes}
    objectives = parse_objectives(given.pop("objectives", OBJECTIVES))
    constraints = parse_constraints(given.pop("constraints"))
    space, algorithm = given.pop("space"), given.pop("algorithm")
    return Study.create_or_resume(storage, name, space, algorithm, objectives, constraints, **given)


def evaluate(trial: Trial) -> dict[str, float]:
    """Return metrics that depend on the genotype alone, with ties."""
    kernel, width, depth = (int(value) for value in trial.genotype)
    return {"accuracy": float(width % 5 + depth), "latency_ms": 0.5 * kernel + depth}


def drive(study: Study, batch: int = 1) -> None:
    """Run a study to its end."""
    while trials := study.ask(batch):
        study.tell_many([(trial, evaluate(trial)) for trial in trials])
    study.finish("budget reached")


def rows(study: Study) -> list[tuple[Any, ...]]:
    """Return what must be equal after an interruption: number, state, genotype and metrics of every trial."""
    table = study.trials()
    metrics = [tuple(values.tolist()) for _, values in sorted(table.metrics.items())]
    columns = (table.numbers.tolist(), table.states.tolist(), table.genotypes.tolist(), *metrics)
    return [*zip(*columns, strict=True)]


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a forked process that then dies without any clean-up; return its pid, reaped."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(9)
    os.waitpid(pid, 0)
    return pid


__all__ = ["OBJECTIVES", "SPACE", "RegularizedEvolution", "drive", "evaluate", "in_child", "make_study", "rows"]
