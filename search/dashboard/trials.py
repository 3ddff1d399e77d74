"""`/studies/{study}/trials`: the table of all trials, filtered, sorted and cut into pages here."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search.dashboard.answers import FRESH, json_answer, tag, unchanged
from search.dashboard.arrow import ARROW, arrow_stream
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.documents import trials as documents
from search.dashboard.documents.document import UNCHANGED, of_type
from search.dashboard.refusal import bad_request
from search.dashboard.selected_trials import AskedOf, records, select

router = APIRouter(tags=["trials"], responses=UNCHANGED)

MOST = {"json": 500, "arrow": 100_000}
"""How many trials a page has at most."""

Format = Annotated[Literal["json", "arrow"] | None, Query(description="By default as `Accept` says, else JSON.")]
Limit = Annotated[int, Query(ge=1, le=max(MOST.values()), description="At most 500 in JSON, 100,000 in Arrow.")]
After = Annotated[str | None, Query(max_length=40, description="`next` of the page before.")]


@router.get("/studies/{study}/trials", response_model=documents.TrialPage, responses=of_type(ARROW, format="binary"))
def table(  # noqa: PLR0917 - what a page can be asked for
    request: Request,
    study: StudyOf,
    store: StoreOf,
    asked: AskedOf,
    limit: Limit = 50,
    after: After = None,
    format: Format = None,  # noqa: A002 - the parameter's name in the address
) -> Response:
    """Return a page of the trials that `where` is true of, as JSON or as an Arrow stream.

    With `format=arrow` or `Accept: application/vnd.apache.arrow.stream` it is one record batch, whose schema's metadata
    hold `total`, `first`, `next` and `change_seq` as texts; `next` is empty on the last page.
    """
    kind = format or ("arrow" if ARROW in request.headers.get("accept", "") else "json")
    if limit > MOST[kind]:
        raise bad_request(f"limit={limit}: a page in {kind} has at most {MOST[kind]} trials")
    etag = tag(study.view.id, study.sequence, study.row["lease_number"], kind)
    known = unchanged(request, etag)
    if known is not None:
        return known
    chosen = select(store, study, asked)
    first = _place(chosen.numbers, after)
    page = chosen.numbers[first : first + limit]
    last = first + len(page)
    following = f"{last}.{page[-1]}" if last < len(chosen.numbers) else None
    place = {"total": len(chosen.numbers), "first": first, "next": following}
    headers = {"ETag": etag, "Vary": "Accept", **FRESH}
    if kind == "arrow":
        facts = {**place, "next": following or "", "change_seq": study.sequence}
        return Response(arrow_stream(store, study, page, chosen.columns, facts), 200, headers, ARROW)
    rows = records(store, study, page, chosen.columns)
    return json_answer({**place, "columns": chosen.columns, "rows": rows}, headers=headers)


def _place(numbers: np.ndarray, after: str | None) -> int:
    """Return where a page begins: behind the last trial of the page before, wherever that stands by now."""
    if after is None:
        return 0
    place, _, number = after.partition(".")
    if not (after.isascii() and place.isdigit() and number.isdigit() and len(after) < 25):
        raise bad_request(f"after={after[:40]!r} is no page's `next`")
    found = np.flatnonzero(numbers == int(number))
    return int(found[0]) + 1 if len(found) else min(int(place), len(numbers))
