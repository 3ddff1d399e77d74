"""Preparations on the command line: run once, shared, resumed after a kill, refused, failed, interrupted, listed."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from pathlib import Path

import prepared_study
import pytest
from click.testing import CliRunner
from prepared_study import done, ended, launch, start, stored, wait_until

from search.cli.application import application


def listed(folder: Path, *arguments: str) -> str:
    command = ["preparations", "--storage", f"sqlite:///{folder}/search.db", *arguments]
    return CliRunner().invoke(application, command).stdout


def steps(folder: Path) -> list[int]:
    return [step for _, _, step in done(folder)]


def test_it_runs_once_and_what_it_learnt_is_shared_by_studies_of_the_database(tmp_path: Path) -> None:
    code, out, err = launch(tmp_path, "--json")
    assert code == 0, err
    assert json.loads(out)["front"][0]["metrics"]["kept"] == 5
    assert stored(tmp_path, "SELECT genotype FROM trials WHERE number = 0") == [("[0,0,0,0]",)]
    code, _, err = launch(tmp_path, "--name", "other")
    assert (code, steps(tmp_path)) == (0, [0, 1, 2, 3, 4])
    assert "leaning for cost: stored as preparation" in err
    assert "of study prepared" in err
    facts = json.loads(listed(tmp_path, "--json"))["preparations"][0]
    assert (facts["state"], facts["progress"], facts["studies"]) == ("COMPLETED", 1.0, ["prepared", "other"])
    assert [entry["value"] for entry in facts["measurements"]["loss"]] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert "leaning for cost  completed  100%  loss 0.2000   prepared, other" in listed(tmp_path)
    assert "made from: weight=1.0" in listed(tmp_path, facts["key"][:8])


def test_other_settings_or_another_seed_make_another_and_a_study_keeps_its_own(tmp_path: Path) -> None:
    assert launch(tmp_path)[0] == 0
    assert launch(tmp_path, "--name", "second", "--seed", "1")[0] == 0
    assert launch(tmp_path, "--name", "third", "--set", "weights=[1.0, 2.0]")[0] == 0
    assert Counter(weight for _, weight, _ in done(tmp_path)) == {1.0: 10, 2.0: 5}
    code, _, err = launch(tmp_path, "--set", "weights=[2.0]")
    assert code == 2
    assert "error: study 'prepared' is stored with preparations" in err
    assert "use another study name, or the settings" in err


@pytest.mark.faults
def test_after_sigkill_it_goes_on_from_the_checkpoint(tmp_path: Path) -> None:
    process = start(tmp_path, "--set", "pause_s=0.3")
    wait_until(lambda: len(steps(tmp_path)) >= 2)
    process.kill()
    process.wait()
    assert "interrupted" in listed(tmp_path)
    code, _, err = launch(tmp_path)
    assert (code, steps(tmp_path)) == (0, [0, 1, 2, 3, 4]), err
    assert "going on at" in err
    assert stored(tmp_path, "SELECT step, count(*) FROM preparation_measurements GROUP BY step") == [
        (step, 1) for step in range(5)
    ]


def test_a_cluster_that_does_not_answer_is_found_before_anything_begins(tmp_path: Path) -> None:
    code, _, err = launch(tmp_path, "--launcher", "ray", "--address", "127.0.0.1:1")
    assert (code, "error: nothing answers at '127.0.0.1:1'" in err) == (1, True), err
    assert listed(tmp_path) == "no preparations yet; a study file names them: preparations = [...]\n"


def test_a_launch_that_waits_for_another_says_so_and_how_far_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.cli.progress.PLAIN_INTERVAL_S", 0.0)
    first = start(tmp_path, "--set", "pause_s=1.0")
    wait_until(lambda: steps(tmp_path))
    code, _, err = launch(tmp_path, "--name", "second")
    assert (code, ended(first)[0], steps(tmp_path)) == (0, 0, [0, 1, 2, 3, 4]), err
    assert "; another process works on it, and this one waits for that" in err
    assert "leaning for cost (by another process) 80%" in err
    assert "leaning for cost 100%" in err


def test_ctrl_c_stops_after_the_step_at_hand_and_the_next_launch_goes_on(tmp_path: Path) -> None:
    process = start(tmp_path, "--set", "pause_s=1.5")
    wait_until(lambda: stored(tmp_path, "SELECT step FROM preparation_measurements"))
    process.send_signal(signal.SIGINT)
    code, err = ended(process)
    assert code == 130, err
    assert "leaning for cost: not finished; launch again to go on from the last checkpoint" in err
    before = len(steps(tmp_path))
    assert 1 <= before < 5
    assert launch(tmp_path)[0] == 0
    assert steps(tmp_path) == [0, 1, 2, 3, 4]


def test_a_value_that_is_not_finite_ends_the_launch_and_another_launch_tries_again(tmp_path: Path) -> None:
    code, _, err = launch(tmp_path, "--set", "fails_at=2")
    assert code == 1
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert "leaning for cost failed: ValueError: a preparation measured loss as nan: expected a finite" in errors[0]
    assert stored(tmp_path, "SELECT state, progress, substr(reason, 1, 10) FROM preparations") == [
        ("FAILED", 0.4, "ValueError")
    ]
    assert "failed: ValueError: a preparation measured loss" in listed(tmp_path, str(stored(tmp_path, KEY)[0][0]))
    assert launch(tmp_path)[0] == 0
    assert steps(tmp_path) == [0, 1, 2, 3, 4]
    assert stored(tmp_path, "SELECT state, reason FROM preparations") == [("COMPLETED", "")]


KEY = "SELECT key FROM preparations"


def test_without_its_folder_it_is_made_again_and_with_other_files_refused(tmp_path: Path) -> None:
    assert launch(tmp_path)[0] == 0
    folder = Path(str(stored(tmp_path, "SELECT path FROM preparations")[0][0]))
    (folder / "learnt.json").write_text("[]")
    code, _, err = launch(tmp_path, "--name", "other")
    assert (code, "are not those that it left in" in err) == (2, True)
    shutil.rmtree(folder)
    assert launch(tmp_path, "--name", "other")[0] == 0
    assert steps(tmp_path) == [0, 1, 2, 3, 4] * 2


REFUSED = {
    "coupled": ("float).sum(", "float).prod(", "error: cost of the space is not a sum over its decisions: genotype"),
    "unknown cost": ('cost = "cost"', 'cost = "energy_mj"', "error: metric 'energy_mj' is not known before an evalu"),
    "twice": ("for weight in weights]", "for weight in weights * 2]", "error: preparations 0 and 1 are the same: lean"),
    "no preparation": ("preparations = [", "preparations = [1] + [", "preparations: expected a list of preparations"),
    "algorithm": ('"distribution"', "{'name': 'distribution', 'most_probable': -1}", "error: most_probable is -1: exp"),
    "setting": ("float = 1.0", "float = 1.0\n    made: object = object()", "error: the preparation's made is <object"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_prepared_is_refused_before_it_begins(name: str, tmp_path: Path) -> None:
    text, other, message = REFUSED[name]
    assert text in prepared_study.SOURCE
    (tmp_path / "refused.py").write_text(prepared_study.SOURCE.replace(text, other))
    arguments = ["launch", str(tmp_path / "refused.py"), "--storage", f"sqlite:///{tmp_path}/search.db"]
    result = CliRunner().invoke(application, arguments)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert done(tmp_path) == []


def test_two_launches_at_once_do_it_once(tmp_path: Path) -> None:
    first = start(tmp_path, "--set", "pause_s=0.4")
    wait_until(lambda: done(tmp_path))
    assert launch(tmp_path, "--name", "other")[0] == 0
    assert first.wait(timeout=60) == 0
    assert steps(tmp_path) == [0, 1, 2, 3, 4]


def test_without_any_the_list_says_how_to_have_one(tmp_path: Path) -> None:
    assert listed(tmp_path) == "no preparations yet; a study file names them: preparations = [...]\n"
