"""Storage: the database that keeps studies, latency tables and preparations."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from search.database import TIMEOUT_S, Database, connect
from search.errors import NoDriver, StudyLocked, StudyNotFound
from search.leases import STALE_AFTER_S, holder_age_s, refuse_sharers, this_process
from search.migrations.upgrade import ensure_current
from search.schema import latency_tables, progress, studies
from search.study_row import check_name
from search.study_view import study_state
from search.trials import TrialState


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A study in one line.

    Attributes:
      name: the study's.
      state: `running`, `ended` or `interrupted`.
      reason: why it ended.
      counts: trials by state.
      max_trials: the budget.
      objectives: (metric, direction), in order.
      constraints: as text.
      algorithm: its name.
      created_at, updated_at: seconds since 1970.
    """

    name: str
    state: str
    reason: str
    counts: dict[str, int]
    max_trials: int
    objectives: tuple[tuple[str, str], ...]
    constraints: tuple[str, ...]
    algorithm: str
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A stored latency table: what it was measured with, and the document itself as it was given."""

    id: int
    device: str
    engine: str
    threads: int
    batch: int
    created_at: float
    sha256: str
    provenance: dict[str, Any]
    document: str


class Storage:
    """A database of studies. Opened with `open_storage`; may be used from several threads.

    Attributes:
      database: the connection to it.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def label(self) -> str:
        """The URL without its password."""
        return self.database.label

    def studies(self) -> list[StudySummary]:
        """Return a line on every study, the oldest first."""
        query = (
            sa.select(studies, progress, self.database.now.label("now"))
            .join(progress, progress.c.study_id == studies.c.id)
            .order_by(studies.c.id)
        )
        with self.database.read() as connection:
            return [_summary(row) for row in connection.execute(query).mappings()]

    def delete(self, name: str) -> None:
        """Delete a study with all its trials. Raises StudyNotFound, and StudyLocked while a driver holds it."""

        def work(connection: sa.Connection) -> None:
            row = self._progress(connection, name)
            self._refuse_driven(connection, name, row)
            connection.execute(sa.delete(studies).where(studies.c.id == row["study_id"]))

        self.database.write(work)

    def request(self, name: str, wish: str | None) -> None:
        """Ask a study's driver to `pause` or `stop`; None takes it back. Raises StudyNotFound and ValueError."""
        if wish not in (None, "pause", "stop"):
            raise ValueError(f"a driver cannot be asked to {wish!r}: expected 'pause', 'stop' or None")
        self.database.write(lambda connection: _ask(connection, self._progress(connection, name)["study_id"], wish))

    def control(self, name: str, action: str) -> None:
        """Have a study's driver `pause`, `resume` or `stop`, which it does within seconds.

        Raises StudyNotFound, ValueError for another action, and NoDriver where no driver is alive that could do it.
        """
        if action not in ("pause", "resume", "stop"):
            raise ValueError(f"a driver cannot {action!r}: expected 'pause', 'resume' or 'stop'")

        def work(connection: sa.Connection) -> None:
            row = self._progress(connection, name)
            _check_driver(name, row, action)
            _ask(connection, row["study_id"], None if action == "resume" else action)

        self.database.write(work)

    def rename(self, name: str, new: str) -> None:
        """Give a study another name.

        Raises StudyNotFound, ValueError for a name that cannot be one or is taken, and StudyLocked while anybody
        drives the study: a launch finds its study by name.
        """
        check_name(new)

        def work(connection: sa.Connection) -> None:
            row = self._progress(connection, name)
            self._refuse_driven(connection, name, row)
            if connection.scalar(sa.select(studies.c.id).where(studies.c.name == new)) not in (None, row["study_id"]):
                raise ValueError(f"there is a study {new!r} already: choose another name")
            connection.execute(sa.update(studies).where(studies.c.id == row["study_id"]).values(name=new))
            this = progress.c.study_id == row["study_id"]
            connection.execute(sa.update(progress).where(this).values(updated_at=time.time()))

        self.database.write(work)

    def export_study(self, name: str, file: Path | str) -> None:
        """Write a study as one JSON-lines file. Raises StudyNotFound, OSError."""
        from search.interchange import export_study

        export_study(self.database, name, Path(file))

    def import_study(self, file: Path | str, name: str | None = None) -> str:
        """Read a study that was exported, under its own name or another; return the name.

        All of it or nothing. Raises ValueError with file and line for anything that is not as it should be.
        """
        from search.interchange import import_study

        return import_study(self.database, Path(file), name)

    def save_latency_table(
        self,
        document: str,
        *,
        device: str,
        engine: str,
        threads: int = 1,
        batch: int = 1,
        provenance: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep a latency table, given as its JSON text; return its id. The same text again gives the same id."""
        digest = sha256(document.encode()).hexdigest()
        row = {
            "device": device, "engine": engine, "threads": threads, "batch": batch, "created_at": time.time(),
            "sha256": digest, "provenance": json.loads(json.dumps(dict(provenance or {}), allow_nan=False)),
            "document": document,
        }  # fmt: skip
        same = sa.select(latency_tables.c.id).where(latency_tables.c.sha256 == digest)

        def work(connection: sa.Connection) -> int:
            found = connection.scalar(same)
            if found is None:
                inserted = connection.execute(latency_tables.insert().values(**row))
                found = inserted.inserted_primary_key[0]  # type: ignore[index]
            return int(found)

        return self.database.write(work)

    def latency_tables(self, *, device: str | None = None, engine: str | None = None) -> list[StoredTable]:
        """Return the latency tables, the newest first; of one device or engine if given."""
        query = sa.select(latency_tables).order_by(latency_tables.c.created_at.desc(), latency_tables.c.id.desc())
        for column, value in ((latency_tables.c.device, device), (latency_tables.c.engine, engine)):
            query = query if value is None else query.where(column == value)
        with self.database.read() as connection:
            return [StoredTable(**row) for row in connection.execute(query).mappings()]

    def load_latency_table(
        self,
        *,
        id: int | None = None,  # noqa: A002 - what the column is called
        device: str | None = None,
        engine: str | None = None,
        threads: int | None = None,
        batch: int | None = None,
        max_age_s: float = math.inf,
    ) -> StoredTable | None:
        """Return the newest latency table that all given values fit, or None."""
        oldest = time.time() - max_age_s
        wanted = {"id": id, "threads": threads, "batch": batch}
        for table in self.latency_tables(device=device, engine=engine):
            fits = all(value is None or getattr(table, name) == value for name, value in wanted.items())
            if fits and table.created_at >= oldest:
                return table
        return None

    def close(self) -> None:
        """Close the connections."""
        self.database.engine.dispose()

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _refuse_driven(self, connection: sa.Connection, name: str, row: sa.RowMapping) -> None:
        age_s = holder_age_s(row, row["now"], this_process())
        if age_s is not None:
            raise StudyLocked(name, row["lease_host"], row["lease_pid"], age_s)
        refuse_sharers(connection, name, row["study_id"], row["now"], this_process())

    def _progress(self, connection: sa.Connection, name: str) -> sa.RowMapping:
        query = (
            sa.select(progress, self.database.now.label("now"))
            .join(studies, progress.c.study_id == studies.c.id)
            .where(studies.c.name == name)
        )
        row = connection.execute(query.with_for_update(of=progress)).mappings().one_or_none()
        if row is None:
            raise StudyNotFound(f"there is no study {name!r} in {self.label}")
        return row


def open_storage(address: str, *, create: bool = True, timeout_s: float = TIMEOUT_S) -> Storage:
    """Return the storage at `address`, its tables made or upgraded if need be.

    Args:
      address: `sqlite:///search.db` (a path), or `postgresql://user:password@host/database`.
      create: whether an SQLite file that is not there is made.
      timeout_s: how long a database that is locked or away is waited for.

    Raises:
      ValueError: the address is not one.
      StorageUnavailable: it cannot be reached, read or written, or is of a newer version. Passwords are masked.
      StorageCorrupt: the file is damaged or is not a database.
    """
    database = connect(address, create=create, timeout_s=timeout_s)
    ensure_current(database)
    return Storage(database)


def _summary(row: sa.RowMapping) -> StudySummary:
    return StudySummary(
        name=row["name"],
        state=study_state(row),
        reason=row["reason"],
        counts={str(state): row[state.lower()] for state in TrialState},
        max_trials=row["max_trials"],
        objectives=tuple((metric, direction) for metric, direction in row["objectives"]),
        constraints=tuple(row["constraints"]),
        algorithm=row["algorithm"]["name"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def driver_age_s(row: sa.RowMapping) -> float | None:
    """Return the seconds since a study's driver, or any process that shares it, last said that it lives.

    None where there is none. `row` is of `progress`, read with the database's clock as `now`.
    """
    if row["shared_at"] is not None and row["now"] - row["shared_at"] < STALE_AFTER_S:
        return max(float(row["now"] - row["shared_at"]), 0.0)
    return holder_age_s(row, row["now"], this_process())


def _check_driver(name: str, row: sa.RowMapping, action: str) -> None:
    """Raise NoDriver where nobody would do what is asked."""
    if driver_age_s(row) is None:
        what = study_state(row) if row["state"] == "running" else f"ended ({row['reason']})"
        raise NoDriver(f"study {name!r} has no driver that could {action}: it is {what}; launch it again to go on")
    if row["lease_host"] is None and action != "stop":
        raise NoDriver(f"study {name!r} is shared by processes that can be stopped, not {action.removesuffix('e')}ed")
    if action == "resume" and row["request"] == "stop":
        raise NoDriver(f"study {name!r} is stopping already; launch it again to go on")


def _ask(connection: sa.Connection, study_id: int, wish: str | None) -> None:
    this = progress.c.study_id == study_id
    connection.execute(sa.update(progress).where(this).values(request=wish, updated_at=time.time()))
