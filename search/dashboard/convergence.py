"""How a study's front has grown: its hypervolume after so many finished trials."""

from __future__ import annotations

import numpy as np

from search.dashboard.store import Opened
from search.dashboard.study_columns import COMPLETED
from search.objectives import hypervolume, nondominated

POINTS = 80
"""How many points the curve has at most."""

LARGEST = 4
"""Of more objectives the volume takes too long to compute."""


def hypervolumes(study: Opened) -> list[list[float]]:
    """Return [trials finished, hypervolume] in the order in which trials have ended; none of over four objectives.

    Objectives are scaled so that the worst value of any completed trial is 0, the reference point, and the best 1: the
    volume is the share of that box which the front dominates. A study of one objective gives its best value so.
    """
    scores, ended = scores_in_order(study)
    if not len(scores) or scores.shape[1] > LARGEST:
        return []
    low, high = scores.min(axis=0), scores.max(axis=0)
    scaled = (scores - low) / np.where(high > low, high - low, 1.0)
    front, curve = np.zeros((0, scaled.shape[1])), []
    for rows in np.array_split(np.arange(len(scaled)), min(POINTS, len(scaled))):
        front = np.concatenate([front, scaled[rows]])
        front = front[nondominated(front)]
        curve.append([int(ended[rows[-1]]), hypervolume(front, np.zeros(front.shape[1]).tolist())])
    return curve


def scores_in_order(study: Opened) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of completed trials, larger is better, and how many trials had ended with each, by time."""
    columns, sequence = study.columns, study.sequence
    finished = columns.times("finished_at", sequence)
    order = np.argsort(finished, kind="stable")[: int((~np.isnan(finished)).sum())]
    place = np.flatnonzero(columns.states(sequence)[order] == COMPLETED)
    values = [o.sign * columns.metric(o.metric, sequence)[order][place] for o in study.view.objectives]
    scores = np.stack(values, axis=1)
    finite = np.isfinite(scores).all(axis=1)
    return scores[finite], place[finite] + 1
