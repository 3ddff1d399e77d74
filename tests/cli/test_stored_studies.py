"""The commands that look at stored studies, keep them, and delete them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from tiny_study import write_tiny_study

from search import schema
from search.cli.application import application
from search.storage import open_storage


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


@pytest.fixture
def launched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCH_STORAGE", f"sqlite:///{tmp_path}/kept.db")
    result = run("launch", str(write_tiny_study(tmp_path)))
    assert result.exit_code == 0, result.output
    return "tiny"


def document(*arguments: str) -> dict:  # type: ignore[type-arg]
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_list_names_the_study_and_how_far_it_is(launched: str) -> None:
    [study] = document("list")["studies"]
    assert (study["name"], study["state"], study["max_trials"]) == ("tiny", "ended", 12)
    assert run("list").stdout.splitlines()[1].split()[:5] == ["tiny", "budget", "reached", "12", "12"]


def test_show_tells_objectives_and_constraints(launched: str) -> None:
    shown = document("show", launched)
    assert shown["objectives"] == {"accuracy": "maximize", "cost_ms": "minimize"}
    assert shown["constraints"] == ["cost_ms <= 15.0"]
    assert shown["reason"] == "budget reached"


def test_show_of_a_study_that_can_go_on_ends_with_its_command(launched: str) -> None:
    assert "go on" not in run("show", launched).stdout
    left = sa.update(schema.progress).values(state="running", reason="")
    with open_storage(os.environ["SEARCH_STORAGE"]) as storage:
        storage.database.write(lambda connection: connection.execute(left))
    lines = run("show", launched).stdout.splitlines()
    assert lines[0].startswith("tiny: interrupted - its driver stopped answering ")
    assert lines[-1] == f"go on: python -m search launch {Path('tiny.py').resolve()}"


def test_trials_gives_every_trial_with_its_decisions(launched: str) -> None:
    trials = document("trials", launched)["trials"]
    assert [trial["number"] for trial in trials] == list(range(12))
    assert set(trials[0]["decisions"]) == {"depth", "kernel", "width"}


def test_trials_that_break_a_constraint_are_told_in_one_line(launched: str) -> None:
    reason = "cost_ms is " + sa.cast(schema.trials.c.number, sa.String) + ".5: expected cost_ms <= 15.0"
    number = schema.trials.c.number
    broken = sa.update(schema.trials).where(number.in_([2, 5])).values(state="INFEASIBLE", reason=reason)
    with open_storage(os.environ["SEARCH_STORAGE"]) as storage:
        storage.database.write(lambda connection: connection.execute(broken))
    assert run("trials", launched).stdout.splitlines()[-1] == "2 ended with: expected cost_ms <= 15.0 (trials 2, 5)"


def test_trials_can_be_limited_to_a_state_and_to_the_last(launched: str) -> None:
    assert [trial["number"] for trial in document("trials", launched, "--limit", "2")["trials"]] == [10, 11]
    assert document("trials", launched, "--state", "failed")["trials"] == []


def test_best_is_the_most_accurate_within_the_constraint(launched: str) -> None:
    trials = document("trials", launched, "--state", "completed")["trials"]
    best = max(trial["metrics"]["accuracy"] for trial in trials)
    assert document("best", launched)["trial"]["metrics"]["accuracy"] == best


def test_pareto_lists_the_cheapest_first_and_draws(launched: str) -> None:
    found = document("pareto", launched, "--plot", "front.svg")
    costs = [trial["metrics"]["cost_ms"] for trial in found["front"]]
    assert costs == sorted(costs)
    assert "<svg" in Path("front.svg").read_text()


def test_a_study_is_saved_and_loaded_under_another_name(launched: str) -> None:
    run("save", launched, "tiny.jsonl")
    assert document("load", "tiny.jsonl", "--name", "copy")["study"] == "copy"
    assert document("trials", "copy")["trials"] == document("trials", launched)["trials"]


def test_delete_removes_the_study(launched: str) -> None:
    assert document("delete", launched)["deleted"] == "tiny"
    assert document("list")["studies"] == []


def test_export_writes_symbolic_json_and_a_card(launched: str) -> None:
    files = document("export", launched, "--trial", "3", "--to", "out")["files"]
    assert [Path(file).name for file in files] == ["candidate.json", "README.md"]
    genotype = document("trials", launched)["trials"][3]["genotype"]
    assert json.loads(Path("out/candidate.json").read_text())["genotype"] == genotype
    assert (
        "builds no network" in Path("out/README.md").read_text()
        or "build no network" in Path("out/README.md").read_text()
    )
