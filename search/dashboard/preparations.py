"""`/preparations`: jobs whose result many trials share, such as a trained supernet."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from search.dashboard.answers import answer, tag
from search.dashboard.asked import StoreOf
from search.dashboard.refusal import not_found
from search.dashboard.store import Store
from search.schema import preparations

router = APIRouter(tags=["preparations"])

SHOWN = ("key", "kind", "state", "progress", "sha256", "created_at", "updated_at")
"""What is told of one; a checkpoint's path is nobody's business."""

Key = Annotated[str, Path(max_length=64, description="The preparation's key.")]


@router.get("/preparations")
def listed(request: Request, store: StoreOf) -> Response:
    """Return every preparation, the newest first."""
    rows = _rows(store)
    return answer(request, tag("preparations", rows), lambda: {"preparations": rows})


@router.get("/preparations/{key}")
def one(request: Request, store: StoreOf, key: Key) -> Response:
    """Return one preparation."""
    rows = [row for row in _rows(store) if row["key"] == key]
    if not rows:
        raise not_found(f"there is no preparation {key[:64]!r}; GET /api/v1/preparations lists them")
    return answer(request, tag("preparation", rows), lambda: rows[0])


def _rows(store: Store) -> list[dict[str, Any]]:
    query = sa.select(*(preparations.c[name] for name in SHOWN)).order_by(preparations.c.created_at.desc())
    with store.reading.database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
