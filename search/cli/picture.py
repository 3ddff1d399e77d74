"""A study's picture: its Pareto front, or its best result over trials where it has one objective."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.cli.trial_rows import cost_objective
from search.metric_names import split_unit
from search.plots import Axis, FrontPicture, draw_front, draw_progress

if TYPE_CHECKING:
    from search.study_view import StudyView

MEASURED = "measured_latency_ms"
PREDICTED = "latency_ms"


def draw(study: StudyView, path: Path, title: str = "") -> None:
    """Write the study's picture to `path`. Raises ValueError for a path that is not a picture's."""
    import numpy as np

    table = study.trials()
    title = title or study.name
    if len(study.objectives) == 1:
        objective = study.objectives[0]
        finished = table.select(table.states == "COMPLETED")
        values = finished.metrics.get(objective.metric, np.zeros(0))
        draw_progress(title, Axis(objective.metric, objective.direction == "minimize"), values, path)
    else:
        draw_front(front_picture(study, title), path)


def front_picture(study: StudyView, title: str) -> FrontPicture:
    """Return what a picture of the study's front shows; of more than two objectives, the cost and the best other."""
    import numpy as np

    x, y = axes_of(study)
    table = study.trials()
    nothing = np.full(len(table), np.nan)
    points = np.stack([table.metrics.get(axis.metric, nothing) for axis in (x, y)], axis=1)
    judged = np.isin(table.states, ("COMPLETED", "INFEASIBLE")) & np.isfinite(points).all(axis=1)
    measured = np.stack([points[:, 0], table.metrics.get(MEASURED, nothing), points[:, 1]], axis=1)
    measured = measured[np.isfinite(measured).all(axis=1)] if x.metric == PREDICTED else measured[:0]
    return FrontPicture(
        title=title,
        x=x,
        y=y,
        points=points[judged],
        on_front=np.isin(table.numbers, study.front().numbers)[judged],
        feasible=(table.states == "COMPLETED")[judged],
        measured=measured,
    )


def axes_of(study: StudyView) -> tuple[Axis, Axis]:
    """Return the axes of the study's picture: the first minimised objective across, the first other one upwards."""
    bounds = {constraint.metric: constraint.bound for constraint in study.constraints}
    across = cost_objective(study)
    axes = {
        objective.metric: Axis(objective.metric, objective.direction == "minimize", bounds.get(objective.metric))
        for objective in study.objectives
    }
    upwards = next(metric for metric in axes if metric != across)
    return axes[across], axes[upwards]


def title_of(study: StudyView, device: str = "") -> str:
    """Return the picture's title: the study and what stands against what, on which device."""
    if len(study.objectives) == 1:
        return study.name
    x, y = (split_unit(axis.metric)[0] for axis in axes_of(study))
    return f"{study.name}: {y} against {x}{f' on {device}' if device else ''}"
