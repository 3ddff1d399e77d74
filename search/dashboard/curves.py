"""`/studies/{study}/curves`: a metric step by step, of the trials that measured more than once."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search.dashboard.answers import answer, tag
from search.dashboard.asked import StudyOf
from search.dashboard.documents import analyses as documents
from search.dashboard.documents.document import UNCHANGED
from search.dashboard.named_columns import front_numbers
from search.dashboard.store import Opened
from search.schema import measurements

router = APIRouter(tags=["analyses"], responses=UNCHANGED)

MetricOf = Annotated[str | None, Query(max_length=200, description="By default the first objective.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/studies/{study}/curves", response_model=documents.Curves)
def curves(request: Request, study: StudyOf, metric: MetricOf = None, limit: Limit = 200) -> Response:
    """Return a metric at each step of trials that measured it more than once: the front's, then the latest."""
    name = metric or study.view.objectives[0].metric
    etag = tag("curves", study.view.id, study.sequence, study.row["lease_number"], name, limit)
    return answer(request, etag, lambda: _document(study, name, limit))


def _document(study: Opened, metric: str, limit: int) -> dict[str, Any]:
    """Return at most `limit` curves, and which metrics have any."""
    with study.database.read() as connection:
        counted = {name: _several(connection, study, name) for name in study.columns.metric_names(study.sequence)}
        numbers = counted.get(metric) or _several(connection, study, metric)
        shown = _chosen(numbers, {int(number) for number in front_numbers(study)}, limit)
        points = _points(connection, study, metric, shown)
    return {
        "metric": metric,
        "metrics": [name for name, found in counted.items() if found],
        "total": len(numbers),
        "curves": [{"number": number, "points": points[number]} for number in shown],
    }


def _several(connection: sa.Connection, study: Opened, metric: str) -> list[int]:
    """Return the trials that measured a metric at more than one step, ascending."""
    query = sa.select(measurements.c.number).where(
        measurements.c.study_id == study.view.id, measurements.c.name == metric, measurements.c.step > 0
    )
    return sorted(connection.scalars(query.distinct()))


def _chosen(numbers: list[int], front: set[int], limit: int) -> list[int]:
    """Return `limit` of the numbers: those of the front first, then the latest."""
    latest = sorted(numbers, key=lambda number: (number in front, number), reverse=True)
    return sorted(latest[:limit])


def _points(
    connection: sa.Connection, study: Opened, metric: str, numbers: list[int]
) -> dict[int, list[tuple[int, float]]]:
    """Return each trial's (step, value) in order."""
    columns = measurements.c.number, measurements.c.step, measurements.c.value
    query = sa.select(*columns).where(
        measurements.c.study_id == study.view.id,
        measurements.c.name == metric,
        measurements.c.number.in_(numbers),
    )
    rows = connection.execute(query.order_by(measurements.c.number, measurements.c.step))
    return {
        number: [(row.step, row.value) for row in group] for number, group in groupby(rows, key=lambda row: row.number)
    }
