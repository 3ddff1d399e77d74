"""A database by URL: SQLite or PostgreSQL, transactions that are retried, failures told in one line."""

from __future__ import annotations

import logging
import math
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa

from search.errors import StorageCorrupt, StorageError, StorageUnavailable

Result = TypeVar("Result")

log = logging.getLogger(__name__)

TIMEOUT_S = 600.0
"""How long a locked, restarting or unreachable database is waited for by default."""

BUSY_MS = 5_000
"""How long SQLite itself waits for a lock, before this module says so and tries again."""

PASSING_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
CORRUPT_SQLITE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
PASSING_POSTGRES = ("08", "40", "53300", "55P03", "57")
"""Classes of SQLSTATE that pass by themselves: connection lost, deadlock, too many connections, lock, shutdown."""


@dataclass(frozen=True, slots=True)
class Database:
    """An engine and how long it is waited for."""

    engine: sa.Engine
    timeout_s: float = TIMEOUT_S

    @property
    def label(self) -> str:
        """The URL without its password."""
        return masked_address(self.engine.url)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite rather than PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    @property
    def now(self) -> sa.ColumnElement[float]:
        """The database's clock: seconds since 1970."""
        if self.is_sqlite:
            return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Double)
        return sa.literal_column("CAST(extract(epoch FROM clock_timestamp()) AS double precision)", sa.Double)

    def insert(self, table: sa.Table) -> Any:
        """Return an insert that may say what to do `on_conflict`: SQLAlchemy has one for each kind of database."""
        from sqlalchemy.dialects import postgresql, sqlite

        return (sqlite if self.is_sqlite else postgresql).insert(table)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection whose statements all see one state of the database."""
        options: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        try:
            with self.engine.connect() as connection, connection.execution_options(read_only=True, **options).begin():
                yield connection
        except sa.exc.DBAPIError as error:
            raise self.failure(error) from error

    def write(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Return what `work` returns, run in one transaction, again if need be. Raises StorageError."""

        def once() -> Result:
            with self.engine.begin() as connection:
                return work(connection)

        return self.retried(once)

    def retried(self, once: Callable[[], Result]) -> Result:
        """Return what `once` returns; call it again for as long as it fails of what passes by itself."""
        deadline, pause_s = None, 0.05
        while True:
            try:
                return once()
            except (sa.exc.DBAPIError, self.engine.dialect.dbapi.Error) as error:  # type: ignore[union-attr]
                failure = self.failure(error)
                if not passing(error) or time.monotonic() + pause_s > (deadline or math.inf):
                    raise failure from error
                if deadline is None:
                    deadline = time.monotonic() + self.timeout_s
                    log.warning("%s; trying again for up to %g s", failure, self.timeout_s)
            time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter between waiting drivers
            pause_s = min(2 * pause_s, 5.0)

    def failure(self, error: Exception) -> StorageError:
        """Return the error that says in one line what is wrong with the database."""
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
        words = " ".join(str(cause).split()) or type(cause).__name__
        words = _without_password(words, self.engine.url)
        if name.startswith(CORRUPT_SQLITE):
            return StorageCorrupt(
                f"{self.label} is damaged or not a database ({words}); move it away, or restore it from an export"
            )
        if name.startswith(("SQLITE_FULL", "53100")) or (name.startswith("SQLITE_IOERR") and self._disk_full()):
            return StorageUnavailable(f"no space left on the disk of {self.label}; free some and launch again")
        return StorageUnavailable(f"storage {self.label} cannot be used: {words}")

    def _disk_full(self) -> bool:
        path = Path(self.engine.url.database or ".").resolve().parent
        usage = os.statvfs(path)
        return usage.f_bavail * usage.f_frsize < 1 << 20


class Statement:
    """A Core statement, compiled once; it runs on the driver's own cursor and binds values just as they are.

    Running one through SQLAlchemy costs more than SQLite needs for it.
    """

    def __init__(self, statement: Any, database: Database, keys: list[str] | None = None) -> None:
        """Compile an insert of the columns `keys`, or any other statement with named parameters."""
        compiled = statement.compile(dialect=database.engine.dialect, column_keys=keys)
        self._sql = str(compiled)
        self._order: list[str] | None = compiled.positiontup
        self._fixed = {key: value for key, value in compiled.params.items() if value is not None}

    def run(self, cursor: Any, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run once for each row of values; return the number of rows that were changed."""
        if len(rows) == 1:
            cursor.execute(self._sql, self._bound(rows[0]))
        elif rows:
            cursor.executemany(self._sql, [self._bound(row) for row in rows])
        else:
            return 0
        return int(cursor.rowcount)

    def _bound(self, row: Mapping[str, Any]) -> Any:
        values = {**self._fixed, **row}
        return values if self._order is None else [values[key] for key in self._order]


class Writer:
    """Runs transactions of prepared statements on one kept connection.

    A transaction runs again when the database was locked or away. The connection may break at the very moment of a
    commit: then it runs again although it was committed, which what is run must notice. SQLite's transactions take
    the write lock at their beginning, so that none fails half-way for want of it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._synced = True

    def __call__(self, work: Callable[[Any], Result], *, synced: bool = True) -> Result:
        """Return what `work`, given a cursor, returns. Raises StorageError.

        One that is not `synced` outlives the process at once, but a power cut only together with the next one that is:
        SQLite writes it without waiting for the disk.
        """
        return self._database.retried(lambda: self._once(work, synced))

    def _once(self, work: Callable[[Any], Result], synced: bool) -> Result:
        if self._connection is None:
            self._connection, self._synced = self._database.engine.raw_connection(), True
        try:
            connection = self._connection.driver_connection
            cursor = connection.cursor()
            if self._database.is_sqlite:  # psycopg begins by itself
                if synced != self._synced:
                    cursor.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                    self._synced = synced
                cursor.execute("BEGIN IMMEDIATE")
            result = work(cursor)
            connection.commit()
        except BaseException:
            self.close()
            raise
        cursor.close()
        return result

    def close(self) -> None:
        """Give the connection back; what was not committed is undone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if not self._synced:
                connection.invalidate()  # others take it to be synced
            connection.close()


def passing(error: Exception) -> bool:
    """Return whether trying again may help: a lock, a deadlock, a lost connection."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", "").startswith(PASSING_SQLITE)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return type(cause).__name__ in ("OperationalError", "InterfaceError")
    return str(state).startswith(PASSING_POSTGRES)


def masked_address(address: str | sa.URL) -> str:
    """Return a URL as it may be shown: no password, also none in the query. Raises ValueError for what is no URL."""
    url = _parse(address) if isinstance(address, str) else address
    url = url.set(drivername=url.get_backend_name())
    if "password" in url.query:
        url = url.update_query_dict({"password": "***"})
    return url.render_as_string(hide_password=True)


def connect(address: str, *, create: bool = True, timeout_s: float = TIMEOUT_S, read_only: bool = False) -> Database:
    """Return the database at `address`, which answers.

    Args:
      address: `sqlite:///search.db` (a path), or `postgresql://user:password@host/database`.
      create: whether an SQLite file that is not there is made.
      timeout_s: how long writers wait for a database that is locked or away.
      read_only: whether the database itself refuses every write; an SQLite file must be there then.

    Raises:
      ValueError: the address is not one.
      StorageUnavailable, StorageCorrupt: it cannot be opened.
    """
    url = _parse(address)
    if url.get_backend_name() == "sqlite":
        _check_path(url, create and not read_only)
    try:
        engine = sa.create_engine(url, **_engine_settings(url, read_only))
    except ModuleNotFoundError as error:
        raise StorageUnavailable(f"PostgreSQL needs psycopg ({error}); pip install 'psycopg[binary]'") from error
    database = Database(engine, timeout_s)
    if database.is_sqlite:
        sa.event.listen(engine, "connect", _prepare_reader if read_only else _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    with database.read() as connection:
        connection.execute(sa.text("SELECT 1"))
    return database


def _engine_settings(url: sa.URL, read_only: bool) -> dict[str, Any]:
    if url.get_backend_name() != "sqlite":
        options = {"options": "-c default_transaction_read_only=on"} if read_only else {}
        return {"connect_args": {"connect_timeout": 10, **options}, "pool_pre_ping": True}
    timeout_s = BUSY_MS / 1000
    if not read_only:
        return {"connect_args": {"timeout": timeout_s}}
    path = f"file:{quote(str(Path(url.database or '').resolve()))}?mode=ro"
    return {"creator": lambda: sqlite3.connect(path, timeout_s, uri=True, check_same_thread=False)}


def _parse(address: str) -> sa.URL:
    expected = "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
    try:
        url = sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError) as error:
        shown = "" if "@" in address else f" {address!r}"  # what cannot be read may hold a password
        raise ValueError(f"the storage's address{shown} is not a URL: {expected}") from error
    backend = url.drivername.split("+")[0]
    if backend == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise ValueError("an SQLite storage must be a file, which other processes can read: sqlite:///search.db")
        return url.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ValueError(f"storage {masked_address(url)} is of an unknown kind: {expected}")


def _check_path(url: sa.URL, create: bool) -> None:
    path = Path(url.database or "")
    if path.is_dir():
        raise StorageUnavailable(
            f"storage {masked_address(url)} is a folder: expected a file's path, e.g. {path}/search.db"
        )
    if not path.parent.is_dir():
        raise StorageUnavailable(
            f"storage {masked_address(url)}: the folder {path.parent} does not exist; make it first"
        )
    if not create and not path.exists():
        raise StorageUnavailable(f"storage {masked_address(url)}: there is no such file; launch a study to make it")


def _without_password(words: str, url: sa.URL) -> str:
    secrets = [str(url.password)] if url.password else []
    secrets += [str(url.query["password"])] if "password" in url.query else []
    for secret in secrets:
        words = words.replace(secret, "***")
    return words


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by sqlite3's own rules
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Have the database keep a write-ahead log. SQLite waits for nobody in this, so that it is tried again here."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not passing(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02 * random.uniform(0.5, 1.0))  # noqa: S311 - jitter between those that open it at once


def _prepare_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
