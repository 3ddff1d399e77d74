"""`/studies/{study}/columns`: values of all trials at once, in few bytes."""

from __future__ import annotations

import json
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search.dashboard.answers import FRESH, answer, tag, unchanged
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.documents import trials as documents
from search.dashboard.documents.document import UNCHANGED, of_type
from search.dashboard.named_columns import Column, column
from search.dashboard.refusal import bad_request
from search.dashboard.store import Opened
from search.dashboard.study_columns import TIMES

router = APIRouter(tags=["trials"], responses=UNCHANGED)

BINARY = "application/octet-stream"
MOST = 64
Names = Annotated[str, Query(max_length=8000, description="number, state, a metric, d:DECISION, ... by commas")]
Since = Annotated[int | None, Query(ge=-1, lt=2**53, description="Only trials changed after this change_seq.")]


@router.get("/studies/{study}/columns", response_model=documents.Columns, responses=of_type(BINARY, format="binary"))
def columns(
    request: Request, study: StudyOf, store: StoreOf, names: Names = "number,state", since: Since = None
) -> Response:
    """Return columns of all trials, or of those that changed after `since` with their `number`.

    As JSON, or, for `Accept: application/octet-stream`, as one line of JSON (`names`, `dtypes`, `rows`, `change_seq`,
    `labels`), then each column's values in order, little-endian, without padding: int32, float32, float64 (times),
    uint8 or int16 (indices of labels, 255 or -1 where a decision is not in force).
    """
    etag = tag(study.view.id, study.sequence, study.row["lease_number"])
    binary = BINARY in request.headers.get("accept", "")
    known = unchanged(request, etag)
    if known is not None:
        return known
    wanted = listed(names)
    if since is not None and "number" not in wanted:
        wanted.insert(0, "number")
    found = [column(store, study, name) for name in wanted]
    rows = study.columns.changed(since, study.sequence)
    headers = {"ETag": etag, "Vary": "Accept", **FRESH}
    if binary:
        return Response(packed(study, found, rows), 200, headers, BINARY)
    document = {"columns": {item.name: item.plain(rows) for item in found}, "rows": len(rows)}
    made = answer(request, etag, lambda: {**document, "change_seq": study.sequence})
    made.headers["Vary"] = "Accept"
    return made


def listed(names: str) -> list[str]:
    """Return the names between commas, each once. Raises Refusal for too many."""
    found = list(dict.fromkeys(name for name in names.split(",") if name))
    if not 1 <= len(found) <= MOST:
        raise bad_request(f"{len(found)} columns are asked for: expected 1 to {MOST}")
    return found


def packed(study: Opened, found: list[Column], rows: np.ndarray) -> bytes:
    """Return columns as a line of JSON and blocks of numbers."""
    blocks = [_block(item, rows) for item in found]
    head: dict[str, Any] = {
        "names": [item.name for item in found],
        "dtypes": [str(block.dtype) for block in blocks],
        "rows": len(rows),
        "change_seq": study.sequence,
        "labels": {item.name: item.labels for item in found if item.labels is not None},
    }
    line = json.dumps(head, separators=(",", ":")).encode() + b"\n"
    return b"".join([line, *(block.astype(block.dtype.newbyteorder("<"), copy=False).tobytes() for block in blocks)])


def _block(item: Column, rows: np.ndarray) -> np.ndarray:
    values: np.ndarray = item.values[rows]
    if item.labels is None:
        if values.dtype.kind == "f":
            return values if item.name in TIMES else values.astype(np.float32)
        return values.astype(np.uint8 if values.dtype.kind == "b" else np.int32)
    dtype, missing = ("uint8", 255) if len(item.labels) < 255 else ("int16", -1)
    dtype = "int32" if len(item.labels) > np.iinfo(np.int16).max else dtype
    made: np.ndarray = np.where(item.has()[rows], values, missing).astype(dtype)
    return made
