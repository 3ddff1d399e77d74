"""`/preparations`: jobs whose result many trials share, such as a trained supernet."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from search.dashboard.answers import answer, tag
from search.dashboard.asked import StoreOf
from search.dashboard.documents import devices as documents
from search.dashboard.documents.document import UNCHANGED
from search.dashboard.refusal import not_found
from search.dashboard.store import Store
from search.preparations import load_preparations, measured, users

router = APIRouter(tags=["preparations"], responses=UNCHANGED)

HIDDEN = ("path",)
"""Where checkpoints lie is nobody's business."""

Key = Annotated[str, Path(max_length=64, description="The preparation's key.")]


@router.get("/preparations", response_model=documents.Preparations)
def listed(request: Request, store: StoreOf) -> Response:
    """Return every preparation, the newest first, with the studies that use it."""
    rows = _rows(store)
    return answer(request, tag("preparations", rows), lambda: {"preparations": rows})


@router.get("/preparations/{key}", response_model=documents.Preparation)
def one(request: Request, store: StoreOf, key: Key) -> Response:
    """Return one preparation, and what it measured: `curves`, of each metric its steps and values."""
    row = next((row for row in _rows(store) if row["key"] == key), None)
    if row is None:
        raise not_found(f"there is no preparation {key[:64]!r}; GET /api/v1/preparations lists them")
    return answer(request, tag("preparation", row), lambda: {**row, "curves": measured(store.reading.database, key)})


def _rows(store: Store) -> list[dict[str, Any]]:
    database = store.reading.database
    used = users(database)
    documents = [asdict(each) | {"studies": used.get(each.key, [])} for each in reversed(load_preparations(database))]
    return [{name: value for name, value in document.items() if name not in HIDDEN} for document in documents]
