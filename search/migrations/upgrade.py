"""Bringing a database to the newest schema when it is opened."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from search.database import Database
from search.errors import StorageUnavailable
from search.schema import VERSION

LOCK = 7_305_110_214_009_142_711
"""The key of PostgreSQL's advisory lock under which one process upgrades; any number that others do not use."""


def ensure_current(database: Database) -> None:
    """Make the tables, or upgrade them. Does next to nothing when they are current: Alembic is not even imported.

    Raises StorageUnavailable for a database of a newer or unknown version, StorageError where it cannot be written.
    """
    with database.read() as connection:
        found = _version(connection)
    if found != VERSION:
        database.write(lambda connection: _upgrade(database, connection))


def _version(connection: sa.Connection) -> str | None:
    """Return the version of the schema; None where there is none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def _upgrade(database: Database, connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    if not database.is_sqlite:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).resolve().parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    found = _version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StorageUnavailable(
            f"storage {database.label} has schema version {found!r}, this program knows up to {VERSION}: "
            f"upgrade the program, or use another storage"
        )
    command.upgrade(config, "head")
