"""`/studies/{study}/front`: the trials that no other dominates, in the study's objectives or any other metrics."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search.dashboard.answers import answer, tag
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.documents import analyses as documents
from search.dashboard.documents.document import UNCHANGED
from search.dashboard.named_columns import column, front_numbers
from search.dashboard.refusal import bad_request
from search.dashboard.store import Opened, Store
from search.dashboard.studies import direction_of, knee_of
from search.dashboard.study_columns import COMPLETED
from search.objectives import nondominated
from search.pareto import knee

router = APIRouter(tags=["studies"], responses=UNCHANGED)

DIRECTIONS = ("maximize", "minimize")
MetricOf = Annotated[str | None, Query(max_length=200, description="A metric, or METRIC:maximize, METRIC:minimize.")]


@router.get("/studies/{study}/front", response_model=documents.Front)
def front(  # noqa: PLR0917 - three axes
    request: Request, study: StudyOf, store: StoreOf, x: MetricOf = None, y: MetricOf = None, z: MetricOf = None
) -> Response:
    """Return the front in up to three metrics, by default the stored one in the study's objectives.

    `latency_ms@DEVICE` gives a device's front of the same trials. A trial that lacks one of the metrics is on no front.
    """
    asked = [name for name in (x, y, z) if name]
    etag = tag(study.view.id, study.sequence, study.row["lease_number"])
    return answer(request, etag, lambda: _own(study) if not asked else front_in(store, study, asked))


def front_in(store: Store, study: Opened, asked: list[str]) -> dict[str, Any]:
    """Return the front in some metrics. Raises Refusal for one whose direction is not known."""
    aims = [_aim(study, name) for name in asked]
    return study.columns.known.get(("front", *aims), study.sequence, lambda: _computed(store, study, aims))


def _own(study: Opened) -> dict[str, Any]:
    numbers = front_numbers(study)
    names = [objective.metric for objective in study.view.objectives]
    values = np.stack([study.columns.metric(name, study.sequence)[numbers] for name in names], axis=1)
    directions = [objective.direction for objective in study.view.objectives]
    return _document(names, directions, numbers, values, knee_of(study, numbers))


def _computed(store: Store, study: Opened, aims: list[tuple[str, str]]) -> dict[str, Any]:
    rows = np.flatnonzero(study.columns.states(study.sequence) == COMPLETED)
    found = [column(store, study, name) for name, _ in aims]
    texts = [item.name for item in found if item.labels is not None]
    if texts:
        raise bad_request(f"{texts[0]!r} is no number: a front is of metrics")
    values = np.stack([item.values[rows].astype(np.float64) for item in found], axis=1)
    scores = values * [1.0 if direction == "maximize" else -1.0 for _, direction in aims]
    best = np.flatnonzero(nondominated(scores))
    at = knee(scores[best]) if len(best) else None
    names, directions = [name for name, _ in aims], [direction for _, direction in aims]
    return _document(names, directions, rows[best], values[best], None if at is None else int(rows[best][at]))


def _document(
    names: list[str], directions: list[str], numbers: np.ndarray, values: np.ndarray, at: int | None
) -> dict[str, Any]:
    return {"metrics": names, "directions": directions, "numbers": numbers.tolist(), "values": values.tolist(),
            "knee": at}  # fmt: skip


def _aim(study: Opened, asked: str) -> tuple[str, str]:
    """Return a metric and its direction."""
    name, colon, direction = asked.rpartition(":")
    if colon and direction in DIRECTIONS:
        return name, direction
    found = direction_of(study, asked.removeprefix("m:"))
    if found is None:
        raise bad_request(f"which way is {asked[:80]!r} better? ask for {asked[:80]}:maximize or {asked[:80]}:minimize")
    return asked, found
