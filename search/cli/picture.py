"""A study's picture: its Pareto front, or its best result over trials where it has one objective."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.cli.trial_rows import cost_objective
from search.metric_names import measured, split_unit
from search.pareto import front_of
from search.plots import Axis, FrontPicture, draw_front, draw_progress
from search.study_devices import LATENCY
from search.study_tables import tables_used

if TYPE_CHECKING:
    from search.objectives import Objective
    from search.study_view import StudyView
    from search.trials import TrialTable


def draw(
    study: StudyView,
    path: Path,
    title: str = "",
    table: TrialTable | None = None,
    objectives: Sequence[Objective] = (),
) -> None:
    """Write the picture of a study to `path`, in its own objectives or in others, which trials may be given for.

    With one objective: each result and the best so far. Raises ValueError for a path that is not a picture's.
    """
    import numpy as np

    table = study.trials() if table is None else table
    objectives, title = objectives or study.objectives, title or study.name
    if len(objectives) == 1:
        objective = objectives[0]
        finished = table.select(table.states == "COMPLETED")
        values = finished.metrics.get(objective.metric, np.zeros(0))
        draw_progress(title, Axis(objective.metric, objective.direction == "minimize"), values, path)
    else:
        draw_front(front_picture(study, table, objectives, title), path)


def front_picture(study: StudyView, table: TrialTable, objectives: Sequence[Objective], title: str) -> FrontPicture:
    """Return what a picture of a front shows; of more than two objectives, the cost and the first other one."""
    import numpy as np

    x, y = axes_of(study, objectives)
    nothing = np.full(len(table), np.nan)
    points = np.stack([table.metrics.get(axis.metric, nothing) for axis in (x, y)], axis=1)
    judged = np.isin(table.states, ("COMPLETED", "INFEASIBLE")) & np.isfinite(points).all(axis=1)
    direct = np.stack([points[:, 0], table.metrics.get(measured(x.metric), nothing), points[:, 1]], axis=1)
    return FrontPicture(
        title=title,
        x=x,
        y=y,
        points=points[judged],
        on_front=front_of(table, objectives)[judged],
        feasible=(table.states == "COMPLETED")[judged],
        measured=direct[np.isfinite(direct).all(axis=1)],
    )


def axes_of(study: StudyView, objectives: Sequence[Objective]) -> tuple[Axis, Axis]:
    """Return the axes of a picture: the first minimised objective across, the first other one upwards."""
    bounds = {constraint.metric: constraint.bound for constraint in study.constraints}
    across = cost_objective(objectives)
    upwards = next(objective for objective in objectives if objective.metric != across.metric)
    x, y = (Axis(o.metric, o.direction == "minimize", bounds.get(o.metric)) for o in (across, upwards))
    return x, y


def title_of(study: StudyView, objectives: Sequence[Objective]) -> str:
    """Return a picture's title: the study and what stands against what, on which device."""
    if len(objectives) == 1:
        return study.name
    x, y = axes_of(study, objectives)
    table = tables_used(study.settings).get("", {}) if LATENCY in (x.metric, y.metric) else {}
    device = f" on {table['device_name']}" if table.get("device_name") else ""
    return f"{study.name}: {split_unit(y.metric)[0]} against {split_unit(x.metric)[0]}{device}"
