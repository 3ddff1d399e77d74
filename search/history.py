"""What a study's trials have been so far, as its driver needs it to go on where another one ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from search.algorithms._base import Results
from search.errors import StorageCorrupt
from search.genotype_text import genotypes_of
from search.objectives import Constraint, Objective, scores, violations
from search.schema import fronts, measurements, metrics, trials
from search.trials import UNFINISHED, TrialState

if TYPE_CHECKING:
    from search.algorithms._base import Algorithm


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A trial that was left PENDING or RUNNING, and what it had measured."""

    number: int
    state: str
    attempt: int
    losses: int
    seed: int
    measured: dict[str, float]


@dataclass(frozen=True, slots=True)
class History:
    """A study's past.

    Attributes:
      genotypes: all that were proposed, by number, shape (n, width).
      results: of the finished ones, in the order in which they were told.
      unfinished: by number.
      front: the numbers of the trials on the front, and `front_scores` (m, objectives).
      notes: what the algorithm stored with each trial, by number.
    """

    genotypes: np.ndarray
    results: Results
    unfinished: tuple[Unfinished, ...]
    front: list[int]
    front_scores: np.ndarray
    notes: tuple[str, ...] = ()


def results_of(
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    genotypes: np.ndarray,
    states: Sequence[str],
    metrics_of: Sequence[Mapping[str, float]],
) -> Results:
    """Return what an algorithm learns of trials: scores where there is a result to be compared, else NaN.

    A trial that failed or was stopped has none, nor has an infeasible one that breaks no constraint by its metrics.
    """
    found, excess = scores(objectives, metrics_of), violations(constraints, metrics_of)
    for row, state in enumerate(states):
        if not (state == TrialState.COMPLETED or (state == TrialState.INFEASIBLE and excess[row] > 0)):
            found[row], excess[row] = np.nan, 0.0
    return Results(genotypes, found, excess)


def read_history(  # noqa: PLR0917 - a study's parts
    connection: sa.Connection,
    study_id: int,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    width: int,
    dtype: np.dtype,
) -> History:
    """Return the past of a study."""
    this = trials.c.study_id == study_id
    wanted = ("number", "state", "attempt", "losses", "seed", "told", "genotype", "note")
    rows = connection.execute(
        sa.select(*(trials.c[name] for name in wanted)).where(this).order_by(trials.c.number)
    ).all()
    genotypes = genotypes_of([row.genotype for row in rows], width, dtype)
    values = _final_values(connection, study_id, {o.metric for o in objectives} | {c.metric for c in constraints})
    told = sorted((row.told, row.number, row.state) for row in rows if row.told is not None)
    order = [number for _, number, _ in told]
    results = results_of(
        objectives, constraints, genotypes[order], [state for *_, state in told], [values.get(n, {}) for n in order]
    )
    measured = _measured(connection, study_id)
    unfinished = tuple(
        Unfinished(row.number, row.state, row.attempt, row.losses, row.seed, measured.get(row.number, {}))
        for row in rows
        if row.state in UNFINISHED
    )
    query = sa.select(fronts.c.number).where(fronts.c.study_id == study_id).order_by(fronts.c.number)
    front = list(connection.scalars(query))
    place = {number: index for index, number in enumerate(order)}
    front_scores = results.scores[[place[number] for number in front]]
    notes = tuple(row.note or "" for row in rows)
    return History(genotypes, results, unfinished, front, front_scores, notes)


def _final_values(connection: sa.Connection, study_id: int, names: set[str]) -> dict[int, dict[str, float]]:
    """Return the final values of some metrics, by trial."""
    found: dict[int, dict[str, float]] = {}
    query = sa.select(metrics.c.number, metrics.c.name, metrics.c.value)
    query = query.where(metrics.c.study_id == study_id, metrics.c.name.in_(sorted(names)))
    for number, name, value in connection.execute(query):
        found.setdefault(number, {})[name] = value
    return found


def _measured(connection: sa.Connection, study_id: int) -> dict[int, dict[str, float]]:
    """Return the last value of each metric that unfinished trials have measured, by trial."""
    found: dict[int, dict[str, float]] = {}
    same = (measurements.c.study_id == trials.c.study_id) & (measurements.c.number == trials.c.number)
    query = (
        sa.select(measurements.c.number, measurements.c.name, measurements.c.value)
        .join(trials, same)
        .where(trials.c.study_id == study_id, trials.c.state.in_(UNFINISHED))
        .order_by(measurements.c.number, measurements.c.step)
    )
    for number, name, value in connection.execute(query):
        found.setdefault(number, {})[name] = value
    return found


def bring_back(algorithm: Algorithm, state: dict[str, Any], past: History, results: Results, study: str) -> None:
    """Bring a started algorithm to where `state` left it, having been told `results`; {} is no state of its own.

    Does nothing without trials. Raises StorageCorrupt, which names the `study`, for a state that is not one.
    """
    if not len(past.genotypes):
        return
    try:
        algorithm.recall(past.notes)
        if state:
            algorithm.restore(state, past.genotypes, results)
        else:
            algorithm.take_over(past.genotypes, results)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise StorageCorrupt(
            f"the stored state of {study} is not one of algorithm {algorithm.name!r} ({error!r}); "
            f"use another study name"
        ) from error
