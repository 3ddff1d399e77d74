"""Leases of single trials: which workers of a shared study are at which trial, and whether they live."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from weakref import WeakSet

import sqlalchemy as sa

from search.database import Database
from search.errors import StorageError
from search.leases import RENEWED_EVERY_S, Holder, holder_age_s
from search.schema import progress, trial_leases, trials
from search.trials import TrialState

PUT_BACK_WITHIN_S = 2.0
PUT_BACK = "its worker left"


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who works on one trial at a time.

    Attributes:
      name: differs between workers that live, of all processes.
      team: workers of one team work on the same trial; a worker's own name where it works alone.
      holder: its process.
    """

    name: str
    team: str
    holder: Holder

    def row(self, now: sa.ColumnElement[float]) -> dict[str, object]:
        """Return what a lease says of its holder."""
        return {
            "worker": self.name,
            "team": self.team,
            "lease_host": self.holder.host,
            "lease_machine": self.holder.machine,
            "lease_pid": self.holder.pid,
            "lease_pid_started": self.holder.pid_started,
            "lease_renewed_at": now,
            "lease_uptime_s": time.monotonic(),
        }


@dataclass(frozen=True, slots=True)
class Teams:
    """Which team is at which unfinished trial.

    Attributes:
      living: team by trial, where one of its workers lives.
      lost: team by trial, where none does any more.
      left: those of the lost that a loop of this very process has left: nobody died.
    """

    living: Mapping[int, str]
    lost: Mapping[int, str]
    left: frozenset[int] = frozenset()


def read_teams(connection: sa.Connection, study_id: int, now: float, me: Holder) -> Teams:
    """Return who is at the unfinished trials of a study."""
    living: dict[int, str] = {}
    lost: dict[int, str] = {}
    rows = connection.execute(sa.select(trial_leases).where(trial_leases.c.study_id == study_id))
    left = set()
    for row in rows.mappings():
        alive = holder_age_s(row, now, me) is not None
        if alive and _left_here(row, me):
            left.add(row["number"])
            alive = False
        (living if alive else lost)[row["number"]] = row["team"]
    lost = {number: team for number, team in lost.items() if number not in living}
    return Teams(living, lost, frozenset(left & lost.keys()))


def _left_here(row: sa.RowMapping, me: Holder) -> bool:
    """Return whether a lease is one that this process is about to give back."""
    holder = (row["lease_machine"], row["lease_pid"], row["lease_pid_started"])
    kept = [keeper for keeper in list(_keepers) if keeper.keeps(row["worker"])]
    return holder == (me.machine, me.pid, me.pid_started) and not kept


def take_lease(connection: sa.Connection, database: Database, study_id: int, number: int, worker: Worker) -> None:
    """Record that a worker is at a trial, and at no other."""
    own = (trial_leases.c.study_id == study_id, trial_leases.c.worker == worker.name)
    connection.execute(sa.delete(trial_leases).where(*own))
    values = {"study_id": study_id, "number": number, **worker.row(database.now)}
    connection.execute(trial_leases.insert().values(**values))


def drop_leases(connection: sa.Connection, study_id: int, number: int) -> None:
    """Record that nobody is at a trial any more."""
    connection.execute(
        sa.delete(trial_leases).where(trial_leases.c.study_id == study_id, trial_leases.c.number == number)
    )


class Keeper:
    """Says every few seconds that this process lives, until it is stopped; then gives its trials back.

    It must not hold the study that it keeps, whose end it could not see.
    """

    def __init__(self, database: Database, study_id: int, worker_prefix: str) -> None:
        """Begin. The leases are those of the workers whose names begin with `worker_prefix`."""
        self._database = database
        self._study_id = study_id
        self._own = (
            trial_leases.c.study_id == study_id,
            trial_leases.c.worker.startswith(worker_prefix, autoescape=True),
        )
        self._prefix = worker_prefix
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"leases of study {study_id}", daemon=True)
        self._thread.start()
        _register_end()
        _keepers.add(self)

    def keeps(self, worker: str) -> bool:
        """Return whether a worker is one whose leases are still kept."""
        return worker.startswith(self._prefix) and not self._over.is_set()

    def stop(self) -> None:
        """End soon; the thread gives the trials back as its last act."""
        self._over.set()

    def join(self) -> None:
        """Wait until that is done, but not long."""
        self._thread.join(PUT_BACK_WITHIN_S)

    def _run(self) -> None:
        while not self._over.wait(RENEWED_EVERY_S):
            self._try(self._renew)
        self._try(self._give_back)

    def _try(self, work: Callable[[sa.Connection], None]) -> None:
        try:
            self._database.write(work)
        except StorageError:  # the study's own next write tells of it
            return

    def _renew(self, connection: sa.Connection) -> None:
        self._say(connection, self._database.now)
        values = {"lease_renewed_at": self._database.now, "lease_uptime_s": time.monotonic()}
        connection.execute(sa.update(trial_leases).where(*self._own).values(**values))

    def _give_back(self, connection: sa.Connection) -> None:
        """Put back the trials that nobody else is at, without a loss: their worker left, it did not die."""
        self._say(connection, None)
        mine = list(connection.scalars(sa.select(trial_leases.c.number).where(*self._own)))
        connection.execute(sa.delete(trial_leases).where(*self._own))
        others = sa.select(trial_leases.c.number).where(trial_leases.c.study_id == self._study_id)
        left = sorted(set(mine) - set(connection.scalars(others)))
        if left:
            put_back(connection, self._study_id, left)

    def _say(self, connection: sa.Connection, now: sa.ColumnElement[float] | None) -> None:
        connection.execute(sa.update(progress).where(progress.c.study_id == self._study_id).values(shared_at=now))


def put_back(connection: sa.Connection, study_id: int, numbers: list[int]) -> None:
    """Let running trials wait for another worker. The study's row must be locked."""
    advanced = sa.update(progress).where(progress.c.study_id == study_id)
    counts = {"running": progress.c.running - len(numbers), "pending": progress.c.pending + len(numbers)}
    connection.execute(advanced.values(change_seq=progress.c.change_seq + 1, updated_at=time.time(), **counts))
    sequence = connection.scalar(sa.select(progress.c.change_seq).where(progress.c.study_id == study_id))
    these = (trials.c.study_id == study_id, trials.c.number.in_(numbers), trials.c.state == TrialState.RUNNING)
    values = {"state": TrialState.PENDING, "reason": PUT_BACK, "change_seq": sequence}
    connection.execute(sa.update(trials).where(*these).values(**values))


_keepers: WeakSet[Keeper] = WeakSet()


@cache
def _register_end() -> None:
    atexit.register(_stop_all)


def _stop_all() -> None:
    """Give everything back at the end of the process."""
    keepers = list(_keepers)
    for keeper in keepers:
        keeper.stop()
    for keeper in keepers:
        keeper.join()
