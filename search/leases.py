"""The lease that makes one process a study's only writer: taken, renewed by a thread, fenced by a number."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from search.database import Database
from search.errors import LeaseLost, StorageError, StudyLocked
from search.schema import progress, trial_leases

RENEWED_EVERY_S = 5.0
STALE_AFTER_S = 30.0
RELEASED_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that can hold a lease.

    Attributes:
      host: the name of its host, for messages.
      machine: differs between hosts, boots and containers: where it is equal, processes and up-times can be compared.
      pid, pid_started: the process, and when it started in clock ticks since boot: tells a pid that is used again.
    """

    host: str
    machine: str
    pid: int
    pid_started: int


def this_process() -> Holder:
    """Return this process as a holder."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        boot = space = ""
    host = socket.gethostname()
    machine = sha256(f"{host} {boot} {space}".encode()).hexdigest()[:32]
    return Holder(host, machine, os.getpid(), started(os.getpid()) or 0)


def started(pid: int) -> int | None:
    """Return when a process of this machine was started, in clock ticks since boot; None when it is dead.

    0 where the system does not tell (no /proc) but the process lives.
    """
    if not Path("/proc/self/stat").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            return 0
        return 0
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def holder_age_s(row: sa.Row[tuple[object, ...]] | sa.RowMapping, now: float, me: Holder) -> float | None:
    """Return the seconds since a `progress` row's lease was renewed; None when nobody holds it any more.

    Ages on one machine are told by its up-time, which no change of the clock moves, else by the database's clock.
    """
    lease = row if isinstance(row, sa.RowMapping) else row._mapping
    if lease["lease_host"] is None:
        return None
    if lease["lease_machine"] == me.machine:
        age_s = time.monotonic() - lease["lease_uptime_s"]
        if started(lease["lease_pid"]) != lease["lease_pid_started"]:
            return None
    else:
        age_s = now - lease["lease_renewed_at"]
    return max(age_s, 0.0) if age_s < STALE_AFTER_S else None


def refuse_sharers(connection: sa.Connection, name: str, study_id: int, now: float, me: Holder) -> None:
    """Raise StudyLocked while a worker that shares the study is at one of its trials."""
    query = sa.select(trial_leases).where(trial_leases.c.study_id == study_id)
    for row in connection.execute(query).mappings():
        age_s = holder_age_s(row, now, me)
        if age_s is not None:
            raise StudyLocked(name, row["lease_host"], row["lease_pid"], age_s)


class Lease:
    """A study's lease: held from `take` until `release`, unless it goes stale and another driver takes it."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._me = this_process()
        self.number = 0
        self._study_id = 0
        self._over = threading.Event()

    def take(self, connection: sa.Connection, study_id: int) -> None:
        """Take the lease within a transaction. Raises StudyLocked when another living driver has it."""
        query = sa.select(progress, self._database.now.label("now")).where(progress.c.study_id == study_id)
        row = connection.execute(query.with_for_update(of=progress)).mappings().one()
        if self.number and row["lease_number"] == self.number:
            return  # this transaction was committed just before its connection broke
        age_s = holder_age_s(row, row["now"], self._me)
        if age_s is not None:
            raise StudyLocked(self._name, row["lease_host"], row["lease_pid"], age_s)
        refuse_sharers(connection, self._name, study_id, row["now"], self._me)
        self._study_id, self.number = study_id, row["lease_number"] + 1
        connection.execute(
            sa.update(progress)
            .where(progress.c.study_id == study_id)
            .values(
                lease_number=self.number,
                lease_host=self._me.host,
                lease_machine=self._me.machine,
                lease_pid=self._me.pid,
                lease_pid_started=self._me.pid_started,
                lease_renewed_at=self._database.now,
                lease_uptime_s=time.monotonic(),
            )
        )

    def keep(self) -> None:
        """Renew the lease from now on, in a thread of its own, until it is released."""
        threading.Thread(target=self._renew, name=f"lease of {self._name}", daemon=True).start()

    def release(self) -> None:
        """Give the lease up, so that the next driver need not wait."""
        self._over.set()
        soon = replace(self._database, timeout_s=min(self._database.timeout_s, RELEASED_WITHIN_S))
        soon.write(lambda connection: connection.execute(self._mine().values(lease_host=None)))

    def lost(self) -> LeaseLost:
        """Return the error to raise when a write finds that the lease is another's."""
        return LeaseLost(
            f"study {self._name!r} was taken over by another driver, or deleted, while this one was not heard of; "
            f"nothing more is written"
        )

    def _mine(self) -> sa.Update:
        return sa.update(progress).where(progress.c.study_id == self._study_id, progress.c.lease_number == self.number)

    def _renew(self) -> None:
        while not self._over.wait(RENEWED_EVERY_S):
            renewed = self._mine().values(lease_renewed_at=self._database.now, lease_uptime_s=time.monotonic())
            try:
                if not self._database.write(partial(_rows_changed, renewed)):
                    return
            except StorageError:  # the driver's own next write tells of it
                continue


def _rows_changed(statement: sa.Update, connection: sa.Connection) -> int:
    return connection.execute(statement).rowcount
