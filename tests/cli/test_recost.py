"""`recost`: what it changes and says, and that a launch goes on from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from several_devices import SOURCE, device_table, open_study, store, write_study

from search.cli.application import application
from search.storage import open_storage
from search.study_file import load_study_file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


def document(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def stored(*tables: Any) -> list[str]:
    with open_storage("sqlite:///search.db") as storage:
        return [store(storage, table) for table in tables]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with a launched study, and the digests of its phone's table and of a newer one, half as fast."""
    folder = tmp_path_factory.mktemp("launched")
    write_study(folder, SOURCE + 'constraints = ["latency_ms@phone <= 8"]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        digests = stored(device_table("phone"), device_table("board"))
        assert run("launch", "perceptrons.py", "--storage", "sqlite:///search.db").exit_code == 0
        return folder, [digests[0], *stored(device_table("phone", 2.0))]


@pytest.fixture
def versions(made: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Work in a copy of that folder; return the digests."""
    shutil.copytree(made[0], tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("SEARCH_STORAGE", "sqlite:///search.db")
    return made[1]


def latencies() -> list[float]:
    return [trial["metrics"]["latency_ms@phone"] for trial in document("trials", "perceptrons")["trials"]]


def test_latencies_come_from_the_newest_table(versions: list[str]) -> None:
    before = latencies()
    done = document("recost", "perceptrons", "--device", "phone")
    assert latencies() == [2 * latency for latency in before]
    assert (done["before"]["sha256"], done["after"]["sha256"]) == tuple(versions)
    assert done["broken"] == sum(2 * latency > 8 for latency in before) > 0


def test_it_says_what_has_changed(versions: list[str]) -> None:
    lines = run("recost", "perceptrons", "--device", "phone").stdout.splitlines()
    assert lines[0].startswith(
        f"perceptrons: latency on phone (ms) of 14 trials from table {versions[1][:12]} of The ph"
    )
    assert lines[1].startswith(f"before: table {versions[0][:12]} of The phone, lite 2.13.0, of 2026-01-31")
    assert lines[2].startswith("14 trials changed; ")
    assert run("recost", "perceptrons", "--device", "phone").stdout.splitlines()[1].startswith("nothing has changed")


def test_a_version_is_picked_by_the_beginning_of_its_digest(versions: list[str]) -> None:
    before = document("trials", "perceptrons")
    run("recost", "perceptrons", "--device", "phone")
    run("recost", "perceptrons", "--device", "phone", "--table", versions[0][:8].upper())
    assert document("trials", "perceptrons") == before
    result = run("recost", "perceptrons", "--device", "phone", "--table", "zz")
    assert result.exit_code == 2
    assert f"expected one of {versions[1][:12]}, {versions[0][:12]}" in result.stderr


def test_show_tells_the_versions(versions: list[str]) -> None:
    run("recost", "perceptrons", "--device", "phone")
    shown = run("show", "perceptrons").stdout
    assert f"latency_ms@phone: table {versions[1][:12]} of The phone" in shown
    assert f": until then table {versions[0][:12]} of The phone" in shown


def test_a_launch_goes_on_with_the_newer_table(versions: list[str]) -> None:
    run("recost", "perceptrons", "--device", "phone")
    result = run("launch", "perceptrons.py", "--max-trials", "17")
    assert result.exit_code == 0, result.output
    trials = document("trials", "perceptrons")["trials"]
    assert all(trial["metrics"]["latency_ms@phone"] <= 8 for trial in trials[14:])
    shown = document("show", "perceptrons")
    assert shown["settings"]["devices"]["phone"]["sha256"] == versions[1]
    assert [change["before"]["sha256"] for change in shown["settings"]["recosts"]] == [versions[0]]


def test_without_recost_a_launch_keeps_to_the_older_table(versions: list[str]) -> None:
    document("launch", "perceptrons.py", "--max-trials", "17")
    assert document("show", "perceptrons")["settings"]["devices"]["phone"]["sha256"] == versions[0]


def test_a_device_that_is_added_is_costed_by_later_launches(versions: list[str]) -> None:
    stored(device_table("watch"))
    assert document("recost", "perceptrons", "--device", "watch")["before"] is None
    document("launch", "perceptrons.py", "--max-trials", "17")
    trials = document("trials", "perceptrons")["trials"]
    assert len(trials) == 17
    assert all(trial["metrics"]["latency_ms@watch"] > 0 for trial in trials)


def test_a_running_driver_is_named(versions: list[str]) -> None:
    tables = {"phone": device_table("phone")}
    study = load_study_file("perceptrons.py")
    with open_storage("sqlite:///search.db") as storage, open_study(storage, study, tables, "perceptrons"):
        result = run("recost", "perceptrons", "--device", "phone")
    assert result.exit_code == 5
    assert "error: study 'perceptrons' is being driven by process" in result.stderr


def test_the_study_file_may_have_moved(versions: list[str]) -> None:
    Path("elsewhere").mkdir()
    Path("perceptrons.py").rename("elsewhere/perceptrons.py")
    result = run("recost", "perceptrons", "--device", "phone", "--study", "perceptrons.py")
    assert (result.exit_code, "no such study" in result.stderr) == (2, True)
    assert run("recost", "perceptrons", "--device", "phone", "--study", "elsewhere/perceptrons.py").exit_code == 0


def test_plain_latency_is_recosted_by_its_devices_name(versions: list[str]) -> None:
    objectives = "objectives={'accuracy': 'maximize', 'latency_ms': 'minimize'}"
    sets = ["--set", "device=board", "--set", "devices=[]", "--set", "constraints=[]", "--set", objectives]
    document("launch", "perceptrons.py", "--name", "plain", *sets)
    stored(device_table("board", 3.0))
    done = document("recost", "plain", "--device", "board")
    assert (done["metrics"], done["changed"]) == (["latency_ms"], 14)
