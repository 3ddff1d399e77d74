"""What is new in a study: asked for again and again, and mostly answered by nothing; or told as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from search.dashboard.answers import FRESH, encoded, json_answer, tag, unchanged
from search.dashboard.asked import Name, StoreOf, StudyOf
from search.dashboard.documents import studies as documents
from search.dashboard.documents.document import UNCHANGED, of_type
from search.dashboard.refusal import Refusal
from search.dashboard.store import Opened, Store
from search.dashboard.summaries import stamp, state_of
from search.trials import TrialState

router = APIRouter(tags=["changes"], responses=UNCHANGED)

EVENTS = "text/event-stream"
EVERY_S = 1.0
SILENT_S = 15.0
"""After how long without news a stream says that it lives."""

Since = Annotated[int | None, Query(ge=-1, lt=2**53, description="The `change_seq` of the answer before.")]


@router.get("/studies/{study}/changes", response_model=documents.News)
def changes(request: Request, study: StudyOf, since: Since = None) -> Response:
    """Return the state, the counts, and the numbers of the trials that changed after `since`, if given.

    304 where nothing is new: by `If-None-Match` with the ETag of the answer before.
    """
    etag = tag(since, stamp(study.row))
    known = unchanged(request, etag)
    return known or json_answer(news(study, since), headers={"ETag": etag, **FRESH})


@router.get("/studies/{study}/events", response_class=Response, responses=of_type(EVENTS))
async def events(request: Request, study: Name, store: StoreOf, since: Since = None) -> Response:
    """Stream what `changes` would answer, as server-sent events named `change`; each one's id is its `change_seq`."""
    last = request.headers.get("last-event-id", "")
    begun = int(last) if last.isascii() and last.isdigit() and len(last) < 17 else since
    await run_in_threadpool(store.row_of, study)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(request, store, study, begun), 200, headers, EVENTS)


def news(study: Opened, since: int | None) -> dict[str, Any]:
    """Return what is new in a study after a `change_seq`; None: no trial's number."""
    row = study.row
    numbers: list[int] = []
    if since is not None and since < study.sequence:
        numbers = study.columns.changed(since, study.sequence).tolist()
    return {
        "change_seq": study.sequence,
        "state": state_of(row),
        "counts": {state.lower(): row[state.lower()] for state in TrialState},
        "updated_at": row["updated_at"],
        "numbers": numbers,
    }


async def _stream(request: Request, store: Store, name: str, since: int | None) -> AsyncIterator[bytes]:
    seen: object = None
    silent_s = 0.0
    while not await request.is_disconnected():
        try:
            found = await run_in_threadpool(_look, store, name, since, seen)
        except Refusal as error:
            yield b"event: gone\ndata: " + encoded({"error": error.message}) + b"\n\n"
            return
        if found is not None:
            seen, document = found
            since, silent_s = document["change_seq"], 0.0
            yield f"id: {since}\nevent: change\ndata: ".encode() + encoded(document) + b"\n\n"
        elif silent_s >= SILENT_S:
            silent_s = 0.0
            yield b": nothing new\n\n"
        await asyncio.sleep(EVERY_S)
        silent_s += EVERY_S


def _look(store: Store, name: str, since: int | None, seen: object) -> tuple[object, dict[str, Any]] | None:
    row = store.row_of(name)
    now = stamp(row)
    return None if now == seen else (now, news(store.opened(row), since))
