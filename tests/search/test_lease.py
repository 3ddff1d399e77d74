"""One driver a study: refusal of a second, take-over of a dead or silent one, and no write of a late one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest
import sqlalchemy as sa
from stored_study import in_child, make_study, rows

from search import leases
from search.errors import LeaseLost, StudyLocked
from search.leases import STALE_AFTER_S, Holder, started, this_process
from search.schema import progress
from search.storage import Storage
from search.study import Study

GOOD = {"accuracy": 1.0, "latency_ms": 1.0}


def set_lease(storage: Storage, **values: Any) -> None:
    """Overwrite what the database says of the lease."""
    storage.database.write(lambda connection: connection.execute(sa.update(progress).values(**values)))


def test_a_second_driver_is_refused_at_once_and_told_of_the_first(storage: Storage) -> None:
    with make_study(storage):
        began = time.monotonic()
        with pytest.raises(StudyLocked, match=rf"being driven by process {os.getpid()} on host") as caught:
            make_study(storage)
        assert time.monotonic() - began < 10  # a lease lasts 30 s
        assert (caught.value.pid, caught.value.host, caught.value.age_s < 5) == (os.getpid(), os.uname().nodename, True)


def test_a_closed_study_is_free(storage: Storage) -> None:
    make_study(storage).close()
    with make_study(storage) as study:
        assert len(study.ask(1)) == 1


def test_a_dead_drivers_study_is_taken_over_at_once(url: str, storage: Storage) -> None:
    def drive_and_die() -> None:
        from search.storage import open_storage

        study = make_study(open_storage(url))
        study.tell(study.ask(2)[0], GOOD)

    in_child(drive_and_die)
    assert Study.open(storage, "s").state == "interrupted"
    with make_study(storage) as study:
        assert [(trial.number, trial.attempt) for trial in study.ask(2)] == [(1, 2), (2, 1)]


def test_a_pid_that_is_used_again_is_not_the_old_driver(storage: Storage) -> None:
    with make_study(storage):
        set_lease(storage, lease_pid_started=1)
        with make_study(storage) as study:
            assert len(study.ask(1)) == 1


def test_a_driver_on_another_host_is_waited_for_until_it_is_silent(storage: Storage) -> None:
    with make_study(storage):
        set_lease(storage, lease_machine="another", lease_host="node-7", lease_pid=1, lease_pid_started=1)
        with pytest.raises(StudyLocked, match="process 1 on host node-7"):
            make_study(storage)
        set_lease(storage, lease_renewed_at=progress.c.lease_renewed_at - STALE_AFTER_S)
        make_study(storage).close()


def test_a_changed_clock_does_not_make_a_lease_on_this_machine_stale(storage: Storage) -> None:
    with make_study(storage):
        set_lease(storage, lease_renewed_at=progress.c.lease_renewed_at - 3600)
        with pytest.raises(StudyLocked, match="study 's' is being driven"):
            make_study(storage)


def test_a_driver_that_wakes_up_late_cannot_write(storage: Storage) -> None:
    late = make_study(storage)
    first, second = late.ask(2)
    set_lease(storage, lease_uptime_s=0.0)
    with make_study(storage) as study:
        before = rows(study)
        for write in (lambda: late.tell(first, GOOD), lambda: late.ask(1), lambda: late.report(second, GOOD, 0)):
            with pytest.raises(LeaseLost, match="study 's' was taken over by another driver"):
                write()
        late.close()
        assert rows(study) == before
        study.ask(3)


def test_a_late_driver_does_not_release_the_lease_of_its_successor(storage: Storage) -> None:
    late = make_study(storage)
    set_lease(storage, lease_uptime_s=0.0)
    with make_study(storage):
        late.close()
        with pytest.raises(StudyLocked, match="study 's' is being driven"):
            make_study(storage)


def test_a_deleted_study_ends_its_driver(storage: Storage) -> None:
    late = make_study(storage)
    set_lease(storage, lease_host=None)
    storage.delete("s")
    with make_study(storage), pytest.raises(LeaseLost, match="or deleted"):
        late.ask(1)
    late.close()


def test_a_driven_study_is_not_deleted(storage: Storage) -> None:
    with make_study(storage), pytest.raises(StudyLocked, match="study 's' is being driven"):
        storage.delete("s")


def test_a_lease_is_renewed(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY_S", 0.05)
    with make_study(storage) as study:
        set_lease(storage, lease_uptime_s=0.0)
        deadline = time.monotonic() + 60
        while study.state != "running" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert study.state == "running"


def test_a_process_is_known_by_when_it_started() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = started(child.pid)
    assert began == started(child.pid)
    assert began is not None
    assert began >= this_process().pid_started
    child.kill()
    deadline = time.monotonic() + 60
    while started(child.pid) is not None and time.monotonic() < deadline:  # a zombie counts as dead
        time.sleep(0.01)
    assert started(child.pid) is None
    child.communicate()


def test_this_process_is_described() -> None:
    me = this_process()
    assert me == Holder(os.uname().nodename, me.machine, os.getpid(), me.pid_started)
    assert len(me.machine) == 32
