"""`launch` on a tiny study: it runs, extends, tells its front, and says in JSON what it found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_study import SOURCE, write_tiny_study

from search.cli.application import application


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    return str(write_tiny_study(tmp_path))


def test_a_study_runs_to_its_budget(tiny: str) -> None:
    result = run("launch", tiny)
    assert result.exit_code == 0
    assert result.stdout.startswith("tiny: budget reached")
    assert Path("search.db").exists()
    assert Path("tiny-pareto.png").read_bytes()[:4] == b"\x89PNG"


def test_json_is_the_only_thing_on_stdout(tiny: str) -> None:
    document = json.loads(run("launch", tiny, "--json").stdout)
    assert (document["schema_version"], document["study"], document["reason"]) == (1, "tiny", "budget reached")
    assert sum(document["counts"].values()) == 12
    assert {"accuracy", "cost_ms"} <= document["front"][0]["metrics"].keys()


def test_launching_again_with_a_larger_budget_extends(tiny: str) -> None:
    run("launch", tiny)
    result = run("launch", tiny, "--max-trials", "20", "--json")
    assert json.loads(result.stdout)["new_trials"] == 8
    assert "going on at 12 of 20 trials" in result.stderr


def test_launching_a_finished_study_runs_nothing(tiny: str) -> None:
    run("launch", tiny)
    result = run("launch", tiny, "--json")
    assert (result.exit_code, json.loads(result.stdout)["new_trials"]) == (0, 0)


def test_set_replaces_a_value_of_the_file(tiny: str) -> None:
    document = json.loads(run("launch", tiny, "--set", "max_trials=3", "--name", "short", "--json").stdout)
    assert (document["study"], document["max_trials"]) == ("short", 3)


def test_max_time_ends_with_budget_left(tiny: str) -> None:
    result = run("launch", tiny, "--set", "pause_s=0.2", "--max-time", "0.5")
    assert result.exit_code == 3, result.output
    assert "time is up" in result.stdout
    assert "go on: python -m search launch" in result.stdout


def test_a_study_all_of_whose_trials_fail_says_why(tiny: str) -> None:
    result = run("launch", tiny, "--set", "broken=True")
    assert result.exit_code == 1
    assert "error: all 12 trials failed, the first with: RuntimeError: no such luck" in result.stderr


def test_one_objective_has_a_best_trial_and_a_picture_of_progress(tiny: str, tmp_path: Path) -> None:
    single = SOURCE.replace(', "cost_ms": "minimize"}', "}", 1).replace('constraints = ["cost_ms <= 15"]', "")
    assert 'objectives = {"accuracy": "maximize"}' in single
    result = run("launch", str(write_tiny_study(tmp_path, single)))
    assert result.exit_code == 0
    assert "Best trial" in result.stdout


def test_plain_output_has_no_control_codes(tiny: str) -> None:
    result = run("launch", tiny, "--plain")
    assert "\x1b" not in result.output
