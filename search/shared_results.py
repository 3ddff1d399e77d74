"""What workers of a shared study write of a trial: measurements on its way, and its result."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from search.front import Front
from search.objectives import Objective, scores
from search.schema import fronts, measurements, metrics, steps, trials
from search.trials import Trial, TrialState


@dataclass(frozen=True, slots=True)
class Reported:
    """What a trial has measured at a step.

    Attributes:
      trial: as it was taken.
      metrics: by name.
      step: from 0; a step that is measured again is replaced.
      elapsed_s: since the trial was taken.
      checkpoint_path: where what was trained so far is kept, or None.
    """

    trial: Trial
    metrics: Mapping[str, float]
    step: int = 0
    elapsed_s: float = 0.0
    checkpoint_path: str | None = None


def keep_measurement(
    connection: sa.Connection, study_id: int, reported: Reported, values: Mapping[str, float]
) -> dict[str, float]:
    """Write a measurement; return the last value of every metric that the trial has measured."""
    key = {"study_id": study_id, "number": reported.trial.number}
    at_step = [measurements.c[name] == value for name, value in {**key, "step": reported.step}.items()]
    connection.execute(sa.delete(measurements).where(*at_step))
    connection.execute(sa.delete(steps).where(*(steps.c[name] == value for name, value in key.items()),
                                              steps.c.step == reported.step))  # fmt: skip
    now = time.time()
    row = {**key, "step": reported.step}
    connection.execute(
        steps.insert().values(**row, elapsed_s=reported.elapsed_s, checkpoint_path=reported.checkpoint_path)
    )
    if values:
        rows = [{**row, "name": name, "value": value, "measured_at": now} for name, value in values.items()]
        connection.execute(measurements.insert(), rows)
    query = sa.select(measurements.c.name, measurements.c.value).order_by(measurements.c.step)
    found = connection.execute(query.where(*(measurements.c[name] == value for name, value in key.items())))
    return {row.name: row.value for row in found}


def keep_result(  # noqa: PLR0917 - what came of a trial
    connection: sa.Connection,
    study_id: int,
    trial: Trial,
    ended: Mapping[str, Any],
    values: Mapping[str, float],
    objectives: Sequence[Objective],
) -> str:
    """Write a trial's result and what it does to the front; return the state in which the trial was."""
    this = (trials.c.study_id == study_id, trials.c.number == trial.number)
    was = str(connection.scalar(sa.select(trials.c.state).where(*this)))
    connection.execute(sa.update(trials).where(*this).values(**ended))
    if values:
        rows = [{"study_id": study_id, "number": trial.number, "name": n, "value": v} for n, v in values.items()]
        connection.execute(metrics.insert(), rows)
    if ended["state"] == TrialState.COMPLETED:
        _move_front(connection, study_id, trial.number, values, objectives)
    return was


def _move_front(
    connection: sa.Connection,
    study_id: int,
    number: int,
    values: Mapping[str, float],
    objectives: Sequence[Objective],
) -> None:
    same = (fronts.c.study_id == metrics.c.study_id) & (fronts.c.number == metrics.c.number)
    query = sa.select(metrics.c.number, metrics.c.name, metrics.c.value).join(fronts, same)
    stored: dict[int, dict[str, float]] = {}
    for of, name, value in connection.execute(query.where(metrics.c.study_id == study_id)):
        stored.setdefault(of, {})[name] = value
    points: np.ndarray = scores(objectives, list(stored.values()))
    front = Front(list(stored), points)
    if front.add(number, scores(objectives, [values])[0].tolist()):
        joined, left = front.changes()
        gone = (fronts.c.study_id == study_id, fronts.c.number.in_(left))
        connection.execute(sa.delete(fronts).where(*gone))
        connection.execute(fronts.insert(), [{"study_id": study_id, "number": new} for new in joined])
