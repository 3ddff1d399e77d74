"""The shipped once-for-all study, launched: it meets its latency, resumes, and says which file is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from shared_data import shared_data

from search.cli.application import application


def launch(*arguments: str) -> Result:
    return CliRunner().invoke(application, ["launch", "once_for_all", *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    return tmp_path


def test_it_finds_networks_within_the_latency_and_goes_on(folder: Path) -> None:
    for name in ("ofa_acc_predictor.npz", "note10_lut.json.gz"):
        (folder / name).symlink_to(shared_data(f"ofa_mobilenetv3/{name}"))
    told = ("--set", "limit_ms=22", "--json")
    first = json.loads(launch(*told, "--max-trials", "30").stdout)
    assert (first["counts"]["COMPLETED"], first["reason"]) == (30, "budget reached")
    result = launch(*told, "--max-trials", "40")
    second = json.loads(result.stdout)
    best = second["front"][0]["metrics"]
    assert second["new_trials"] == 10
    assert 76 < best["accuracy"] < 81
    assert 9 < best["latency_ms"] <= 22
    assert {"macs", "params"} <= best.keys()


def test_a_missing_predictor_is_told_with_its_line() -> None:
    result = launch()
    assert result.exit_code == 2
    assert "once_for_all.py:48: FileNotFoundError: no accuracy predictor at 'ofa_acc_predictor.npz'" in result.stderr


def test_a_missing_table_is_told_with_its_line() -> None:
    path = shared_data("ofa_mobilenetv3/ofa_acc_predictor.npz")
    result = launch("--set", f"predictor={path}")
    assert result.exit_code == 2
    assert "once_for_all.py:52: FileNotFoundError: no latency table at 'note10_lut.json.gz'" in result.stderr
