"""What may be changed: pause, resume and stop a driver; rename, tag, note, put away and delete a study."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from search.dashboard.answers import json_answer
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.documents import studies as documents
from search.dashboard.refusal import bad_request, conflict
from search.dashboard.summaries import state_of
from search.errors import NoDriver
from search.study_notes import StudyNotes, read_notes, write_notes

router = APIRouter(tags=["control"])


class Control(BaseModel):
    """What a driver is asked for; see `POST /studies/{study}/control`."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["pause", "resume", "stop"]


class Changes(BaseModel):
    """What is to be changed of a study; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str | None, Field(max_length=200)] = None
    tags: Annotated[list[str] | None, Field(max_length=100)] = None
    note: str | None = None
    archived: bool | None = None


@router.post("/studies/{study}/control", response_model=documents.Controlled)
def control(study: StudyOf, store: StoreOf, wish: Control) -> Response:
    """Ask the study's driver to pause, to go on, or to stop.

    `pause`: no new trials; those that run finish, and the driver waits. `stop`: those that run finish, and the driver
    ends; the next launch goes on. It obeys within seconds. 409 where no driver is alive.
    """
    storage = store.writable()
    try:
        storage.control(study.view.name, wish.action)
    except NoDriver as error:
        raise conflict(str(error)) from error
    return json_answer({"name": study.view.name, "state": state_of(store.row_of(study.view.name))})


@router.patch("/studies/{study}", response_model=documents.Noted)
def change(study: StudyOf, store: StoreOf, changes: Changes) -> Response:
    """Change what people note on a study, or its name, which a driver must not be using then."""
    storage = store.writable()
    name = study.view.name
    notes = _changed(read_notes(study.database, study.view.id), changes)
    if changes.name is not None and changes.name != name:
        try:
            storage.rename(name, changes.name)
        except ValueError as error:
            raise conflict(str(error)) if "already" in str(error) else bad_request(str(error)) from error
        name = changes.name
    if {"tags", "note", "archived"} & changes.model_fields_set:
        write_notes(storage.database, study.view.id, notes)
    return json_answer({"name": name, "tags": notes.tags, "note": notes.note, "archived": notes.archived})


@router.delete("/studies/{study}", status_code=204)
def delete(study: StudyOf, store: StoreOf) -> Response:
    """Delete a study with all its trials. 409 while a driver holds it."""
    store.writable().delete(study.view.name)
    return Response(status_code=204)


def _changed(notes: StudyNotes, changes: Changes) -> StudyNotes:
    given = changes.model_dump(include={"tags", "note", "archived"}, exclude_none=True)
    if "tags" in given:
        given["tags"] = tuple(tag.strip() for tag in given["tags"])
    try:
        return replace(notes, **given)
    except ValueError as error:
        raise bad_request(str(error)) from error
