"""A study with measured latency, end to end: profile, search, measure the front, export a network."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from search.cli.application import application

pytestmark = pytest.mark.slow
LAUNCH = (
    "launch",
    "nasbench201",
    "--launcher",
    "serial",
    "--max-trials",
    "30",
    "--set",
    "measure=2",
    "--set",
    "anchors=6",
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = run(*LAUNCH, "--json", "--storage", "sqlite:///search.db")
    assert result.exit_code == 0, result.output
    (folder / "launch.json").write_text(result.stdout)
    (folder / "launch.log").write_text(result.stderr)
    return folder


@pytest.fixture
def folder(measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of the measured study's folder."""
    shutil.copytree(measured, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("SEARCH_STORAGE", "sqlite:///search.db")
    return tmp_path / "copy"


def launched(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "launch.json").read_text())
    return document


def test_every_trial_has_a_latency(folder: Path) -> None:
    trials = json.loads(run("trials", "nasbench201", "--json").stdout)["trials"]
    assert len(trials) == 30
    assert all(trial["metrics"]["latency_ms"] > 0 for trial in trials)


def test_networks_of_the_front_were_measured_directly(folder: Path) -> None:
    measured = launched(folder)["measured"]
    assert len(measured["networks"]) == 2
    assert all(one["measured_ms"] > 0 for one in measured["networks"])
    assert measured["mean_noise"] >= 0


def test_the_measured_latency_is_kept_with_the_trial(folder: Path) -> None:
    one = launched(folder)["measured"]["networks"][0]
    trials = json.loads(run("trials", "nasbench201", "--json").stdout)["trials"]
    assert trials[one["trial"]]["metrics"]["measured_latency_ms"] == one["measured_ms"]


def test_the_log_says_how_good_the_table_is(folder: Path) -> None:
    log = (folder / "launch.log").read_text()
    assert re.search(r"measured now; leave-one-out error on [56] networks", log)  # one may ignore its input


def test_another_study_uses_the_stored_table(folder: Path) -> None:
    result = run(*LAUNCH, "--name", "second", "--set", "measure=0")
    assert result.exit_code == 0
    assert "operators, stored, of" in result.stderr


def test_a_resumed_study_keeps_its_table_though_a_newer_one_is_stored(folder: Path) -> None:
    before = json.loads(run("show", "nasbench201", "--json").stdout)["settings"]["latency_table"]
    run("profile", "nasbench201", "--rounds", "2")
    run(*LAUNCH, "--max-trials", "32")
    after = json.loads(run("show", "nasbench201", "--json").stdout)
    assert (after["settings"]["latency_table"], after["max_trials"]) == (before, 32)


def test_a_corrupt_table_is_told_in_one_line(folder: Path) -> None:
    with sqlite3.connect("search.db") as database:
        database.execute("UPDATE latency_tables SET document = replace(document, 'conv2d', '')")
    database.close()
    result = run(*LAUNCH, "--max-trials", "31")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("error: latency table")


def test_profile_prints_operators_and_calibration_and_stores_the_table(folder: Path) -> None:
    result = run("profile", "nasbench201", "--rounds", "2", "--json")
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["table"]["entries"]) == 20
    assert [table["this_machine"] for table in json.loads(run("devices", "--json").stdout)["tables"]] == [True, True]


def test_export_writes_programs_that_agree_with_the_network(folder: Path) -> None:
    result = run("export", "nasbench201", "--trial", "3", "--to", "out", "--json")
    assert result.exit_code == 0, result.output
    names = [Path(file).name for file in json.loads(result.stdout)["files"]]
    assert names == ["candidate.json", "state_dict.pt", "model.pt2", "model.onnx", "README.md"]
    card = Path("out/README.md").read_text()
    assert "WEIGHTS ARE NOT TRAINED" in card
    assert "the weights are not trained: trial 3 has no checkpoint of its own" in result.stderr
    assert "predicted by the latency table" in card


def test_an_exported_program_needs_none_of_this_project(folder: Path) -> None:
    import subprocess
    import sys

    run("export", "nasbench201", "--trial", "3", "--to", "out")
    code = (
        "import sys, torch; network = torch.export.load('out/model.pt2').module();"
        "print(network(torch.zeros(5, 3, 32, 32)).shape, 'spaces' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "torch.Size([5, 10]) False\n"
