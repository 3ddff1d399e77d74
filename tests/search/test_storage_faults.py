"""What befalls a database: drivers killed, connections cut, servers restarted, disks full or read-only."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from postgres_server import new_database
from stored_study import RegularizedEvolution, drive, evaluate, in_child, make_study, rows

from search.database import Writer
from search.errors import StorageError, StorageUnavailable
from search.storage import Storage, open_storage
from search.study import Study

pytestmark = pytest.mark.faults

TRIALS = 120


def evolved(storage: Storage, name: str = "s", trials: int = TRIALS) -> Study:
    """Return a study whose every proposal depends on all results before it."""
    return make_study(storage, name, algorithm=RegularizedEvolution(20, 5), max_trials=trials)


def drive_one_by_one(study: Study) -> None:
    """Run a study to its end, reporting on the way."""
    while trials := study.ask(1):
        metrics = evaluate(trials[0])
        study.report(trials[0], {"latency_ms": metrics["latency_ms"]}, 0)
        study.tell(trials[0], metrics)


def killed_driver(url: str, after_s: float) -> None:
    """Drive the study in another process and kill that with SIGKILL."""
    pid = os.fork()
    if not pid:
        try:
            drive_one_by_one(evolved(open_storage(url)))
        finally:
            os._exit(9)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_driver_may_be_killed_at_any_instant(url: str, storage: Storage) -> None:
    with evolved(storage, "whole") as whole:
        drive_one_by_one(whole)
    instants = random.Random(5)
    for _ in range(12):
        killed_driver(url, instants.uniform(0.01, 0.12))
    with evolved(storage) as study:
        drive_one_by_one(study)
        assert rows(study) == rows(whole)
        assert study.front().numbers.tolist() == whole.front().numbers.tolist()


def test_results_are_synced_to_the_disk_and_so_is_what_others_write(tmp_path: Path) -> None:
    with open_storage(f"sqlite:///{tmp_path}/a.db") as storage:
        with evolved(storage, trials=2) as study:
            (trial,) = study.ask(1)
            kept = study._ledger._write._connection.driver_connection
            assert kept.execute("PRAGMA synchronous").fetchone() == (1,)
            study.tell(trial, evaluate(trial))
            assert kept.execute("PRAGMA synchronous").fetchone() == (2,)
            study.ask(1)
        with storage.database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


@pytest.mark.postgres
def test_what_was_committed_before_its_connection_broke_is_not_written_twice(postgres: Any) -> None:
    class Breaking(Writer):
        """Loses the connection right after each third commit."""

        commits = 0

        def _once(self, work: Any, synced: bool) -> Any:
            result = super()._once(work, synced)
            Breaking.commits += 1
            if Breaking.commits % 3 == 0:
                self.close()
                raise psycopg.OperationalError("connection lost")
            return result

    with open_storage(new_database(postgres)) as storage, evolved(storage, trials=20) as study:
        study._ledger._write = Breaking(storage.database)
        drive_one_by_one(study)
        assert study.counts() == Study.open(storage, "s").counts()
        assert len(study.trials(states=["COMPLETED"])) == 20


@pytest.mark.postgres
def test_cut_connections_lose_nothing(postgres: Any) -> None:
    url, over = new_database(postgres), threading.Event()
    with open_storage(url, timeout_s=60) as storage, open_storage(url) as other:
        with evolved(storage, "whole") as whole:
            drive_one_by_one(whole)
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        cut = sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

        pauses = random.Random(0)

        def cut_connections() -> None:
            while not over.wait(pauses.uniform(0.0, 0.2)):
                with other.database.engine.begin() as connection:
                    connection.execute(cut)

        cutter = threading.Thread(target=cut_connections)
        with evolved(storage) as study:
            cutter.start()
            try:
                drive_one_by_one(study)
            finally:
                over.set()
                cutter.join()
            assert rows(study) == rows(whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def test_a_full_disk_ends_the_study_and_loses_nothing(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/a.db"
    in_child(lambda: fill_up(url, small_disk.parent / "told"))
    error, told = (small_disk.parent / "told").read_text().split(";")
    assert error == f"no space left on the disk of sqlite:///{small_disk}/a.db"
    remount(small_disk, "size=64m")
    with open_storage(url) as storage, evolved(storage, trials=5000) as study:
        assert len(study.trials(states=["COMPLETED"])) in (int(told), int(told) + 1)
        drive(study)
        with storage.database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def fill_up(url: str, note: Path) -> None:
    """Drive a study until the disk is full; note why it ended, and how many results were accepted before."""
    told = 0
    with open_storage(url) as storage:
        try:
            with evolved(storage, trials=5000) as study:
                while trials := study.ask(1):
                    told += study.tell(trials[0], evaluate(trials[0]), worker="w" * 4000)
        except StorageUnavailable as error:
            note.write_text(f"{error};{told}".replace("; free some and launch again", ""))


def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/a.db"
    open_storage(url).close()
    remount(small_disk, "ro")
    with (
        pytest.raises(StorageUnavailable, match=r"cannot be used: .*(readonly|unable to open)"),
        open_storage(url) as storage,
    ):
        make_study(storage)
    remount(small_disk, "rw")


@pytest.mark.parametrize("seed", range(12))
def test_damage_is_told_in_one_line_or_harmless(tmp_path: Path, seed: int) -> None:
    path, random_bytes = tmp_path / "a.db", random.Random(seed)
    with open_storage(f"sqlite:///{path}") as storage, make_study(storage, max_trials=60) as study:
        drive(study)
    content = bytearray(path.read_bytes())
    for _ in range(40):
        content[random_bytes.randrange(len(content))] = random_bytes.randrange(256)
    path.write_bytes(content)
    try:
        with open_storage(f"sqlite:///{path}", timeout_s=1) as storage:
            Study.open(storage, storage.studies()[0].name).to_pandas()
            with make_study(storage, max_trials=70) as study:
                drive(study)
    except (StorageError, ValueError, LookupError) as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
