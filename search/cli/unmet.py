"""Why no candidate of a space can be proposed: limits on known metrics, and what the candidates come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.coverage import LISTED

if TYPE_CHECKING:
    from search.known_metrics import KnownMetrics
    from search.study_file import StudyDefinition

DRAWN = 256
"""Candidates of a large space that are costed to say what they come to."""


def unmet(definition: StudyDefinition, known: KnownMetrics | None) -> str:
    """Return which of a study's constraints no candidate met, with the nearest value among some that are looked at."""
    space, size = definition.space, definition.space.size
    listed = size is not None and size <= LISTED
    rows = space.enumerate(0, LISTED) if listed else space.sample(DRAWN, np.random.default_rng(0))
    costs = dict(zip(known.names, known(rows).T, strict=True)) if known is not None else {}
    bounds = [bound for bound in definition.constraints if bound.metric in costs]
    alone = [bound for bound in bounds if bound.excess(costs[bound.metric]).all()]
    looked = f"all {len(rows):,} candidates" if listed else f"{len(rows):,} drawn candidates"
    reasons = [f"{bound} ({bound.nearest(costs[bound.metric], looked)})" for bound in alone]
    return " or ".join(reasons) or " and ".join(map(str, bounds)) + " together"
