"""Which trials a request is about, in which order, and their values: for the table of trials and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import sqlalchemy as sa
from fastapi import Depends, Query

from search.dashboard.columns import listed
from search.dashboard.named_columns import Column, column
from search.dashboard.store import Opened, Store
from search.dashboard.where import matching
from search.schema import trials

REASON = "reason"
"""A text that every trial may have another one of: read for the rows that are shown."""

Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which trials, in which order, and which columns of them."""

    where: Annotated[str, Query(max_length=2000, description='E.g. accuracy > 90 and state == "COMPLETED"')] = ""
    sort: Annotated[str, Query(max_length=300, description="A column; trials without a value come last.")] = "number"
    order: Annotated[Order, Query()] = "asc"
    columns: Annotated[str | None, Query(max_length=8000, description="Columns by commas.")] = None


AskedOf = Annotated[Asked, Depends()]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which trials a request is about, in order: shape (n,), and which columns of them."""

    numbers: np.ndarray
    columns: tuple[str, ...]


def select(store: Store, study: Opened, asked: Asked) -> Selection:
    """Return the trials that are asked for. Raises Refusal for what is not understood."""
    wanted = tuple(listed(asked.columns)) if asked.columns else usual_columns(study)
    for name in wanted:
        if name != REASON:
            column(store, study, name)

    def find() -> np.ndarray:
        count = len(study.columns.states(study.sequence))
        mask = matching(asked.where, count, lambda name: column(store, study, name))
        return _sorted(np.flatnonzero(mask), column(store, study, asked.sort), descending=asked.order == "desc")

    key = ("trials", asked.where, asked.sort, asked.order)
    return Selection(study.columns.known.get(key, study.sequence, find), wanted)


def usual_columns(study: Opened) -> tuple[str, ...]:
    """Return the columns that are shown where none are asked for: state, metrics, decisions, what went wrong."""
    metrics = study.columns.metric_names(study.sequence)
    decisions = [f"d:{decision.name}" for decision in study.columns.decisions[:16]]
    return ("number", "state", *metrics, *decisions, "elapsed_s", REASON)


def with_number_and_state(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return columns' names, each once, after `number` and `state`."""
    return tuple(dict.fromkeys(["number", "state", *names]))


def records(store: Store, study: Opened, numbers: np.ndarray, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return trials as plain values by column, `number` and `state` always among them."""
    found: dict[str, list[Any]] = {
        name: reasons(study, numbers) if name == REASON else column(store, study, name).plain(numbers)
        for name in with_number_and_state(names)
    }
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]


def reasons(study: Opened, numbers: np.ndarray) -> list[str]:
    """Return why some trials did not complete, "" where there is nothing to say."""
    query = sa.select(trials.c.number, trials.c.reason).where(trials.c.study_id == study.view.id)
    found: dict[int, str] = {}
    with study.database.read() as connection:
        for part in np.array_split(numbers, len(numbers) // 500 + 1):
            rows = connection.execute(query.where(trials.c.number.in_(part.tolist()), trials.c.reason != ""))
            found |= {row.number: row.reason for row in rows}
    return [found.get(number, "") for number in numbers.tolist()]


def _sorted(numbers: np.ndarray, by: Column, *, descending: bool) -> np.ndarray:
    """Return trials by a column's value, those without one last, equal ones by number."""
    has = by.has()[numbers]
    known, unknown = numbers[has], numbers[~has]
    values = by.values[known]
    if by.labels is not None and by.name != "state" and len(by.labels):
        values = np.argsort(np.argsort(np.array([label.casefold() for label in by.labels])))[values]
    keys = values.astype(np.float64)
    return np.concatenate([known[np.argsort(-keys if descending else keys, kind="stable")], unknown])
