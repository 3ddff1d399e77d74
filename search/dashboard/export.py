"""`/studies/{study}/trials.csv`, `.json`, `.arrow`: exactly what the table shows, as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from search.dashboard.answers import encoded
from search.dashboard.arrow import ARROW, arrow_stream
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.documents.document import Cell, of_type
from search.dashboard.selected_trials import AskedOf, Selection, records, select
from search.dashboard.store import Opened, Store

router = APIRouter(tags=["trials"])

BATCH = 2000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


@router.get("/studies/{study}/trials.csv", response_class=Response, responses=of_type("text/csv"))
def as_csv(study: StudyOf, store: StoreOf, asked: AskedOf) -> Response:
    """Return the table as CSV. A text that a spreadsheet would take for a formula gets a ' before it."""
    chosen = select(store, study, asked)
    return _file(_csv(store, study, chosen), "text/csv; charset=utf-8", f"{study.view.name}.csv")


@router.get("/studies/{study}/trials.json", response_model=list[dict[str, Cell]])
def as_json(study: StudyOf, store: StoreOf, asked: AskedOf) -> Response:
    """Return the table as a JSON list of objects."""
    chosen = select(store, study, asked)
    return _file(_json(store, study, chosen), "application/json", f"{study.view.name}.json")


@router.get("/studies/{study}/trials.arrow", response_class=Response, responses=of_type(ARROW, format="binary"))
def as_arrow(study: StudyOf, store: StoreOf, asked: AskedOf) -> Response:
    """Return the table as an Arrow stream."""
    chosen = select(store, study, asked)
    content = arrow_stream(store, study, chosen.numbers, chosen.columns, {"change_seq": study.sequence})
    return _file(iter([content]), ARROW, f"{study.view.name}.arrow")


def _file(parts: Iterator[bytes], media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(parts, 200, headers, media_type)


def _batches(store: Store, study: Opened, chosen: Selection) -> Iterator[list[list[Any]]]:
    for first in range(0, len(chosen.numbers), BATCH):
        rows = records(store, study, chosen.numbers[first : first + BATCH], chosen.columns)
        yield [[row[name] for name in chosen.columns] for row in rows]


def _csv(store: Store, study: Opened, chosen: Selection) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(name) for name in chosen.columns])
    for batch in _batches(store, study, chosen):
        writer.writerows([[_cell(value) for value in row] for row in batch])
        yield _taken(text)
    yield _taken(text)


def _json(store: Store, study: Opened, chosen: Selection) -> Iterator[bytes]:
    before = b"["
    for batch in _batches(store, study, chosen):
        for row in batch:
            yield before + encoded(dict(zip(chosen.columns, row, strict=True)))
            before = b",\n"
    yield b"]\n" if before == b",\n" else b"[]\n"


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _taken(text: io.StringIO) -> bytes:
    """Return what was written, and begin anew."""
    found = text.getvalue().encode("utf-8", "replace")
    text.seek(0)
    text.truncate()
    return found
