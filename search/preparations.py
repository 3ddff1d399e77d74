"""Preparations as records: jobs whose result many trials share, such as a trained supernet, and what they measure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from search.database import Database
from search.schema import preparation_measurements, preparations, studies

STATES = ("RUNNING", "COMPLETED", "FAILED")

USED = "preparations"
"""The setting of a study that lists what it uses: mappings with the `key` of each."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """A job and how far it is.

    Attributes:
      key: a hash of all that it is made from, so that studies share what is equal.
      kind: what it makes, e.g. `supernet`.
      state: RUNNING, COMPLETED or FAILED. RUNNING says that it has begun and not ended: its driver may be gone.
      progress: from 0 to 1.
      path: of the folder that holds its checkpoints and its result; empty before it is made.
      sha256: of that folder's files; empty until it is COMPLETED.
      created_at, updated_at: seconds since 1970; set when it is saved.
      reason: why it FAILED: one line, then the end of the traceback.
      settings: what it is made from, as plain JSON values.
    """

    key: str
    kind: str
    state: str = "RUNNING"
    progress: float = 0.0
    path: str = ""
    sha256: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    reason: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state {self.state!r} of preparation {self.key!r} is not one of {', '.join(STATES)}")
        if not 0.0 <= self.progress <= 1.0:
            raise ValueError(f"progress {self.progress} of preparation {self.key!r} is not from 0 to 1")


def load_preparation(database: Database, key: str) -> Preparation | None:
    """Return the preparation of that key, or None."""
    return next((each for each in load_preparations(database) if each.key == key), None)


def load_preparations(database: Database) -> list[Preparation]:
    """Return every preparation, the oldest first."""
    query = sa.select(preparations).order_by(preparations.c.created_at, preparations.c.key)
    with database.read() as connection:
        return [Preparation(**row) for row in connection.execute(query).mappings()]


def save_preparation(database: Database, preparation: Preparation) -> Preparation:
    """Keep a preparation, in the place of an older one of its key; return it as it is stored."""
    return database.write(lambda connection: _save(database, connection, preparation))


def begin_preparation(database: Database, preparation: Preparation, *, afresh: bool) -> Preparation:
    """Keep that a preparation is RUNNING; `afresh`, what it measured before is forgotten. Return it as it is stored."""

    def work(connection: sa.Connection) -> Preparation:
        if afresh:
            same = preparation_measurements.c.key == preparation.key
            connection.execute(sa.delete(preparation_measurements).where(same))
        return _save(database, connection, preparation)

    return database.write(work)


def record_step(database: Database, preparation: Preparation, step: int, metrics: Mapping[str, float]) -> Preparation:
    """Keep what a step has measured, once, with the preparation as it is then; return it as it is stored."""
    now = time.time()
    rows = [
        {"key": preparation.key, "step": step, "name": name, "value": value, "measured_at": now}
        for name, value in metrics.items()
    ]

    def work(connection: sa.Connection) -> Preparation:
        saved = _save(database, connection, preparation)
        if rows:
            connection.execute(database.insert(preparation_measurements).on_conflict_do_nothing(), rows)
        return saved

    return database.write(work)


def steps_kept(database: Database, key: str) -> int:
    """Return how many steps of a preparation are kept: those before that number."""
    last = sa.select(sa.func.max(preparation_measurements.c.step)).where(preparation_measurements.c.key == key)
    with database.read() as connection:
        found = connection.scalar(last)
    return 0 if found is None else int(found) + 1


def measured(database: Database, key: str) -> dict[str, list[tuple[int, float]]]:
    """Return what a preparation measured of itself: for each metric its steps and values, in order."""
    table = preparation_measurements
    query = sa.select(table.c.name, table.c.step, table.c.value).where(table.c.key == key)
    found: dict[str, list[tuple[int, float]]] = {}
    with database.read() as connection:
        for name, step, value in connection.execute(query.order_by(table.c.step, table.c.name)):
            found.setdefault(name, []).append((step, value))
    return found


def users(database: Database) -> dict[str, list[str]]:
    """Return the names of the studies that use each preparation, by its key."""
    found: dict[str, list[str]] = {}
    with database.read() as connection:
        for name, settings in connection.execute(sa.select(studies.c.name, studies.c.settings).order_by(studies.c.id)):
            for key in keys_used(settings):
                found.setdefault(key, []).append(name)
    return found


def keys_used(settings: Mapping[str, Any]) -> list[str]:
    """Return the keys of the preparations that a study with these settings uses, in order."""
    return [str(item["key"]) for item in used_by(settings)]


def used_by(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a study with these settings says of each preparation that it uses: its `key`, and what else."""
    used = settings.get(USED)
    return [item for item in used if isinstance(item, dict) and "key" in item] if isinstance(used, list) else []


def _save(database: Database, connection: sa.Connection, preparation: Preparation) -> Preparation:
    """Keep a preparation; another launch may be making the same one at this moment."""
    now = time.time()
    row = {**asdict(preparation), "settings": dict(preparation.settings), "created_at": now, "updated_at": now}
    insert = database.insert(preparations).values(**row)
    changed = {name: insert.excluded[name] for name in row if name not in ("key", "created_at")}
    connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=changed))
    first = sa.select(preparations.c.created_at).where(preparations.c.key == preparation.key)
    return replace(preparation, created_at=connection.execute(first).scalar_one(), updated_at=now)
