"""What the dashboard reads and writes: a read-only connection, one for the few writes, studies kept as columns."""

from __future__ import annotations

import shlex
import threading
from collections import OrderedDict
from collections.abc import Sequence

import sqlalchemy as sa

from search.dashboard.device_models import Devices
from search.dashboard.importance import Analyst
from search.dashboard.programs import NO_PROGRAMS, Programs
from search.dashboard.refusal import Refusal, not_found
from search.dashboard.study_columns import StudyColumns
from search.database import Database, connect
from search.launch_command import DEFAULT_STORAGE
from search.migrations.upgrade import ensure_current
from search.schema import progress, studies
from search.storage import Storage, open_storage
from search.study_view import StudyView

KEPT, KEPT_BYTES = 1000, 200 << 20
"""How many studies, and bytes of their columns, are in memory at a time, the least used ones leaving."""

WRITE_TIMEOUT_S = 5.0
STANDING = [column for column in progress.c if column.name != "algorithm_state"]
"""How a study stands; an algorithm's state may be long, and nobody here reads it."""


class _Kept:
    """A study in memory, and the `change_seq` that it was last looked at with."""

    def __init__(self, view: StudyView, database: Database) -> None:
        self.view, self.columns = view, StudyColumns(database, view)
        self.sequence = -1


class Opened:
    """A study as one request sees it.

    Attributes:
      view: what it is.
      row: its row of `progress`, with the database's clock as `now`.
      columns: its trials, shared between requests.
      database: where it is read from.
    """

    def __init__(self, view: StudyView, row: sa.RowMapping, columns: StudyColumns, database: Database) -> None:
        self.view, self.row, self.columns, self.database = view, row, columns, database

    @property
    def sequence(self) -> int:
        """The study's `change_seq`."""
        return int(self.row["change_seq"])


class Store:
    """The database of studies. Reads cannot lock it: SQLite is opened read-only."""

    def __init__(self, address: str, *, read_only: bool = False, programs: Programs = NO_PROGRAMS) -> None:
        """Open the database at `address`, which is made if need be. Raises StorageError and ValueError.

        A read-only dashboard neither makes it nor brings an older one up to date.
        """
        self.writing = None if read_only else open_storage(address, timeout_s=WRITE_TIMEOUT_S)
        self.reading = Storage(connect(address, read_only=True, timeout_s=WRITE_TIMEOUT_S))
        if read_only:
            ensure_current(self.reading.database)
        self.programs = programs
        self.analyst, self.devices = Analyst(), Devices(self.reading.database)
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str, int], _Kept] = OrderedDict()

    def prepare(self) -> None:
        """Read what every first look needs: the devices, and the library that fronts are computed with."""
        import moocore  # noqa: F401

        self.devices.all()

    @property
    def label(self) -> str:
        """The address without its password."""
        return self.reading.label.replace("+pysqlite:", ":", 1).replace("+psycopg:", ":", 1)

    @property
    def option(self) -> str:
        """The option that makes a command use this database, after a space; "" for the usual one."""
        return "" if self.label == DEFAULT_STORAGE else f" --storage {shlex.quote(self.label)}"

    def standing(self, names: Sequence[str] = ()) -> list[sa.RowMapping]:
        """Return how all studies stand, or those of some names, the oldest first."""
        query = sa.select(studies.c.name, *STANDING, self.reading.database.now.label("now"))
        query = query.join(progress, progress.c.study_id == studies.c.id).order_by(studies.c.id)
        query = query.where(studies.c.name.in_(names)) if names else query
        with self.reading.database.read() as connection:
            return list(connection.execute(query).mappings())

    def row_of(self, name: str) -> sa.RowMapping:
        """Return how a study stands. Raises Refusal."""
        rows = self.standing([name]) if name else []
        if not rows:
            raise not_found(f"there is no study {name[:140]!r}; GET /api/v1/studies lists those that are stored")
        return rows[0]

    def opened(self, row: sa.RowMapping) -> Opened:
        """Return a study with its columns, which are kept from request to request."""
        key = (row["study_id"], row["name"], row["lease_number"])
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is None or (kept.sequence != row["change_seq"] and self._settings(key[0]) != kept.view.settings):
                kept = _Kept(StudyView(self.reading, row["name"]), self.reading.database)
            kept.sequence = row["change_seq"]
            self._kept[key] = kept
            while len(self._kept) > 1 and (len(self._kept) > KEPT or self._bytes() > KEPT_BYTES):
                self._kept.popitem(last=False)
        return Opened(kept.view, row, kept.columns, self.reading.database)

    def _bytes(self) -> int:
        return sum(kept.columns.nbytes for kept in self._kept.values())

    def _settings(self, study_id: int) -> object:
        """Return what is kept with a study: it says of each re-costing, which changes all trials at once."""
        with self.reading.database.read() as connection:
            return connection.scalar(sa.select(studies.c.settings).where(studies.c.id == study_id))

    def study(self, name: str) -> Opened:
        """Return the study of that name as it is now. Raises Refusal."""
        return self.opened(self.row_of(name))

    def writable(self) -> Storage:
        """Return the storage for a write. Raises Refusal where the dashboard is read-only."""
        if self.writing is None:
            raise Refusal(403, "this dashboard is read-only: start it without --read-only to change anything")
        return self.writing

    def close(self) -> None:
        """Close the connections."""
        self.analyst.close()
        self.reading.close()
        if self.writing is not None:
            self.writing.close()
