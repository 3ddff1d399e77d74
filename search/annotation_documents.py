"""Notes, metadata, links, logs and steps of a study's trials as JSON: written from their rows, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from search.annotations import NAME_LIMIT, VALUE_LIMIT
from search.fields import Fields, parse_json
from search.schema import steps, study_metadata, trial_links, trial_logs, trial_metadata, trials
from search.study_row import LARGEST_TRIALS

MANY = 1 << 20
KEY = "annotations"
"""The one field of such a line."""

NAMED = {"metadata": trial_metadata, "links": trial_links}


def annotation_documents(connection: sa.Connection, study_id: int) -> Iterator[dict[str, Any]]:
    """Give a line on the study, if it has metadata, and one on each trial of which there is anything to say."""
    of_study = dict(_named(connection, study_metadata, study_id))
    if of_study:
        yield {KEY: {"number": None, "metadata": of_study[None]}}
    found: dict[int, dict[str, Any]] = {}
    query = sa.select(trials.c.number, trials.c.note).where(trials.c.study_id == study_id, trials.c.note.is_not(None))
    for row in connection.execute(query.order_by(trials.c.number)):
        found.setdefault(row.number, {})["note"] = row.note
    for field, table in NAMED.items():
        for number, values in _named(connection, table, study_id):
            found.setdefault(number or 0, {})[field] = values
    for row in connection.execute(sa.select(trial_logs).where(trial_logs.c.study_id == study_id)):
        found.setdefault(row.number, {})["log"] = row.log
    query = sa.select(steps).where(steps.c.study_id == study_id).order_by(steps.c.number, steps.c.step)
    for row in connection.execute(query):
        taken = found.setdefault(row.number, {}).setdefault("steps", [])
        taken.append([row.step, row.elapsed_s, row.checkpoint_path])
    empty: dict[str, Any] = {"note": None, "metadata": {}, "links": {}, "steps": []}
    for number in sorted(found):
        yield {KEY: {"number": number, **empty, **found[number]}}


def _named(connection: sa.Connection, table: sa.Table, study_id: int) -> Iterator[tuple[int | None, dict[str, str]]]:
    found: dict[int | None, dict[str, str]] = {}
    for row in connection.execute(sa.select(table).where(table.c.study_id == study_id)).mappings():
        found.setdefault(row.get("number"), {})[row["name"]] = row["value"]
    yield from found.items()


def keep_annotations(connection: sa.Connection, study_id: int, document: dict[str, Any], count: int) -> None:
    """Write what a line says, of the study or of one of its first `count` trials. Raises ValueError."""
    line = Fields(document, "the line")
    fields = line.inner(KEY)
    line.done()
    if document[KEY].get("number") is None:
        fields.take("number")
        _insert(connection, study_metadata, {"study_id": study_id}, _read_named(fields, "metadata", as_json=True))
        fields.done()
        return
    key = {"study_id": study_id, "number": fields.integer("number", 0, count - 1)}
    note = fields.take("note")
    if note is not None:
        this = (trials.c.study_id == study_id, trials.c.number == key["number"])
        connection.execute(sa.update(trials).where(*this).values(note=_json_text(note)))
    for field, table in NAMED.items():
        _insert(connection, table, key, _read_named(fields, field, as_json=field == "metadata"))
    if "log" in document[KEY]:
        log = fields.text("log", VALUE_LIMIT)
        connection.execute(trial_logs.insert(), [{**key, "log": log}])
    taken = [_read_step(item) for item in fields.list("steps", MANY)]
    fields.done()
    if taken:
        connection.execute(steps.insert(), [{**key, **item} for item in taken])


def _insert(connection: sa.Connection, table: sa.Table, key: dict[str, int], values: dict[str, str]) -> None:
    if values:
        connection.execute(table.insert(), [{**key, "name": name, "value": value} for name, value in values.items()])


def _read_named(fields: Fields, field: str, *, as_json: bool) -> dict[str, str]:
    inner = fields.object(field)
    found = {}
    for name, value in inner.items():
        Fields({"name": name}, f"a name in {field!r}").text("name", NAME_LIMIT)
        found[name] = Fields({name: value}, f"field {field!r}").text(name, VALUE_LIMIT)
        if as_json:
            _json_text(found[name])
    return found


def _json_text(text: Any) -> str:
    """Return a text that is JSON; raise ValueError otherwise."""
    checked = Fields({"value": text}, "an annotation").text("value", VALUE_LIMIT)
    parse_json(checked)
    return checked


def _read_step(item: Any) -> dict[str, Any]:
    if not (isinstance(item, list) and len(item) == 3):
        raise ValueError(f"a step is {item!r:.80}: expected a list of step, seconds and checkpoint")
    fields = Fields(dict(zip(("step", "elapsed_s", "checkpoint_path"), item, strict=True)), "a step")
    found: dict[str, Any] = {"step": fields.integer("step", 0, LARGEST_TRIALS), "elapsed_s": fields.number("elapsed_s")}
    found["checkpoint_path"] = None if item[2] is None else fields.text("checkpoint_path", VALUE_LIMIT)
    return found
