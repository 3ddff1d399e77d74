"""Opening databases good and bad, migrations, and what is kept beside the studies."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from stored_study import drive, make_study

from search.database import masked_address
from search.errors import StorageCorrupt, StorageUnavailable, StudyNotFound
from search.schema import VERSION, metadata, studies
from search.storage import Storage, open_storage
from search.trials import Outcome

ROOT = Path(__file__).resolve().parents[2]


def test_migrations_make_exactly_the_declared_tables(storage: Storage) -> None:
    with storage.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_declared_version() -> None:
    assert ScriptDirectory(str(ROOT / "search" / "migrations")).get_heads() == [VERSION]


def test_an_older_schema_is_upgraded_with_what_it_holds(url: str) -> None:
    with open_storage(url) as storage:
        make_study(storage).close()
        with storage.database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE trial_logs")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    with open_storage(url) as storage, make_study(storage) as study:
        study.tell_many([Outcome(study.ask(1)[0], {"accuracy": 1.0}, log="after")])
        assert study.log(0) == "after"


def test_a_newer_schema_is_refused(url: str) -> None:
    with open_storage(url) as storage, storage.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageUnavailable, match=f"schema version '9999', this program knows up to {VERSION}: upgrade"):
        open_storage(url)


def test_an_up_to_date_database_opens_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    open_storage(url).close()
    code = (
        f"import sys; from search.storage import open_storage; open_storage({url!r}); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_several_processes_may_open_a_new_database_at_once(url: str) -> None:
    failures: list[BaseException] = []

    def make() -> None:
        try:
            open_storage(url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_new_sqlite_database_that_another_writes_to_is_waited_for(tmp_path: Path, lock: str) -> None:
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE theirs (number INTEGER)")
    other.execute(lock)
    release = threading.Timer(0.5, other.execute, ["COMMIT"])
    release.start()
    open_storage(f"sqlite:///{tmp_path}/a.db").close()
    assert not release.is_alive()
    other.close()
    with closing(sqlite3.connect(tmp_path / "a.db")) as fresh:
        assert fresh.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("search.db", "address 'search.db' is not a URL: expected sqlite:///FILE or postgresql://"),
        ("mysql://root:hunter2@host/db", r"storage mysql://root:\*\*\*@host/db is of an unknown kind"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_storage(address)


def test_an_unreachable_server_is_told_without_the_password() -> None:
    message = r"storage postgresql://me:\*\*\*@127\.0\.0\.1:1/db cannot"
    with pytest.raises(StorageUnavailable, match=message) as caught:
        open_storage("postgresql://me:hunter2@127.0.0.1:1/db")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_in_the_query_is_masked_too() -> None:
    assert "hunter2" not in masked_address("postgresql://host/db?password=hunter2")


@pytest.mark.parametrize(
    ("path", "message"),
    [("none/there.db", "does not exist; make it first"), (".", "is a folder: expected a file's path")],
)
def test_a_path_that_cannot_be_a_database_is_refused(tmp_path: Path, path: str, message: str) -> None:
    with pytest.raises(StorageUnavailable, match=message):
        open_storage(f"sqlite:///{tmp_path}/{path}")


def test_looking_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="there is no such file; launch a study"):
        open_storage(f"sqlite:///{tmp_path}/a.db", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at closely" * 100, b"\x00" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.db").write_bytes(content)
    with pytest.raises(StorageCorrupt, match=r"is damaged or not a database .*; move it away, or restore it"):
        open_storage(f"sqlite:///{tmp_path}/a.db")


def test_a_damaged_database_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with open_storage(f"sqlite:///{path}") as storage, make_study(storage) as study:
        drive(study)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StorageCorrupt, match="is damaged"), open_storage(f"sqlite:///{path}") as storage:
        storage.studies()


def test_a_locked_database_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.database.BUSY_MS", 100)
    url = f"sqlite:///{tmp_path}/a.db"
    with open_storage(url) as other, open_storage(url, timeout_s=0.5) as storage:
        blocker = other.database.engine.connect()
        blocker.exec_driver_sql("SELECT 1")  # begins, and takes the write lock
        with pytest.raises(StorageUnavailable, match="database is locked"):
            make_study(storage)
        threading.Timer(0.2, blocker.close).start()
        make_study(storage).close()


def test_what_is_read_together_is_of_one_moment(storage: Storage) -> None:
    query = sa.select(sa.func.count()).select_from(studies)
    with storage.database.read() as connection:
        before = connection.scalar(query)
        make_study(storage).close()
        assert (before, connection.scalar(query)) == (0, 0)
    with storage.database.read() as connection:
        assert connection.scalar(query) == 1


def test_summaries_list_the_studies_in_order(storage: Storage) -> None:
    make_study(storage, "b").close()
    with make_study(storage, "a", constraints=["latency_ms <= 9"]) as study:
        drive(study)
    first, second = storage.studies()
    assert (first.name, first.state, first.counts["COMPLETED"]) == ("b", "interrupted", 0)
    assert (second.name, second.state, second.reason) == ("a", "ended", "budget reached")
    assert (second.counts["COMPLETED"], second.max_trials, second.algorithm) == (10, 10, "random")
    assert second.objectives == (("accuracy", "maximize"), ("latency_ms", "minimize"))
    assert second.constraints == ("latency_ms <= 9.0",)


def test_deleting_leaves_no_row_of_a_study_and_all_of_the_others(storage: Storage) -> None:
    for name in ("gone", "kept"):
        with make_study(storage, name) as study:
            (trial,) = study.ask(1)
            study.report(trial, {"accuracy": 1.0}, 0)
            study.tell(trial, {"latency_ms": 1.0})
    storage.delete("gone")
    tables = ("studies", "progress", "trials", "metrics", "measurements", "fronts")
    with storage.database.read() as connection:
        left = [connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) for table in tables]
    assert left == [1, 1, 1, 2, 1, 1]
    with pytest.raises(StudyNotFound, match="there is no study 'gone'"):
        storage.delete("gone")


def test_a_latency_table_is_kept_once_and_found_by_what_it_is_of(storage: Storage) -> None:
    about: dict[str, Any] = {"device": "cpu-1", "engine": "torch", "threads": 1, "batch": 1}
    first = storage.save_latency_table('{"a": 1}', **about, provenance={"samples": 3})
    assert storage.save_latency_table('{"a": 1}', **about) == first
    second = storage.save_latency_table('{"a": 2}', **about)
    storage.save_latency_table('{"a": 3}', device="cpu-2", engine="torch")
    newest = storage.load_latency_table(device="cpu-1", engine="torch", threads=1)
    assert newest is not None
    assert (newest.id, newest.document) == (second, '{"a": 2}')
    old = storage.load_latency_table(id=first)
    assert old is not None
    assert old.provenance == {"samples": 3}
    assert storage.load_latency_table(device="cpu-1", batch=8) is None
    assert storage.load_latency_table(device="cpu-1", max_age_s=-1.0) is None


def test_a_request_is_one_of_two(storage: Storage) -> None:
    with pytest.raises(ValueError, match="cannot be asked to 'explode': expected 'pause', 'stop' or None"):
        storage.request("s", "explode")
