"""Bad input: one line on stderr, the exit code that belongs to it, no traceback."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_study import SOURCE, write_tiny_study

from search.cli.application import application
from search.cli.failures import explain


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    write_tiny_study(tmp_path)
    return tmp_path


def last_line(result: Result) -> str:
    assert "Traceback" not in result.output
    lines = result.stderr.splitlines()
    assert sum(line.startswith("error: ") for line in lines) == 1
    return lines[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["launch", "nosuchstudy"], 2, "no such study"),
        (["launch", "tiny.py", "--name", "a/b"], 2, "is not a study's name"),
        (["launch", "tiny.py", "--name", "../up"], 2, "is not a study's name"),
        (["launch", "tiny.py", "--max-trials", "0"], 2, "0 is not in the range x>=1"),
        (["launch", "tiny.py", "--max-trials", "-3"], 2, "-3 is not in the range x>=1"),
        (["launch", "tiny.py", "--max-time", "0"], 2, "0.0 is not in the range x>0"),
        (["launch", "tiny.py", "--workers", "0"], 2, "0 is not in the range x>=1"),
        (["launch", "tiny.py", "--seed", "-1"], 2, "-1 is not in the range x>=0"),
        (["launch", "tiny.py", "--launcher", "carrier-pigeon"], 2, "'carrier-pigeon' is not one of 'ray', 'serial'"),
        (["launch", "tiny.py", "--set", "max_trials"], 2, "expected KEY=VALUE"),
        (["launch", "tiny.py", "--set", "max_trails=5"], 2, "did you mean 'max_trials'?"),
        (["launch", "tiny.py", "--set", "max_trials=many"], 2, "expected a number"),
        (["launch", "tiny.py", "--plot", "front.bmp"], 2, "must end in one of .png, .svg, .pdf"),
        (["launch", "tiny.py", "--plot", "nowhere/front.png"], 2, "does not exist"),
        (["launch", "tiny.py", "--address", "1.2.3.4:1"], 2, "use it with --launcher ray"),
        (
            ["launch", "tiny.py", "--launcher", "ray", "--address", "head"],
            2,
            "error: address 'head' is not one; expected",
        ),
        (
            ["launch", "tiny.py", "--launcher", "ray", "--address", "127.0.0.1:1"],
            1,
            "error: nothing answers at '127.0.0.1:1'",
        ),
        (["launch", "tiny.py", "--storage", "mysql://host/db"], 2, "unknown kind"),
        (["launch", "tiny.py", "--storage", "my.db"], 2, "address 'my.db' is not a URL: expected sqlite:///FILE"),
        (["launch", "tiny.py", "--storage", "postgres:/me:secret@host"], 2, "the storage's address is not a URL"),
        (["launch", "tiny.py", "--storage", "sqlite:///nowhere/search.db"], 4, "does not exist"),
        (["launch"], 2, "Missing argument 'STUDY'"),
        (["lunch"], 2, "No such command 'lunch'"),
        (["show", "nobody"], 4, "there is no such file"),
        (["profile", "nospace"], 2, "no such space or study"),
        (["profile", "mbconv(depth=open)"], 2, "expected a call with numbers, texts and lists"),
        (["profile", "mbconv(deep=2)"], 2, "unexpected keyword argument 'deep'; its settings are image, classes"),
        (["profile", "mbconv(depth=0)"], 2, "every number of an mbconv space must be at least 1"),
        (["load", "missing.jsonl"], 2, "does not exist"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: list[str], code: int, words: str) -> None:
    result = run(*arguments)
    assert words in last_line(result)
    assert result.exit_code == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nobody"], "there is no study 'nobody'"),
        (["export", "tiny", "--trial", "99", "--to", "out"], "has no trial 99"),
        (["export", "tiny", "--trial", "1", "--to", "out", "--study", "nosuch"], "no such study"),
        (["best", "tiny", "--metric", "beauty"], "'beauty' is not an objective"),
        (["trials", "tiny", "--limit", "0"], "0 is not in the range x>=1"),
        (["delete", "nobody"], "there is no study 'nobody'"),
        (["save", "tiny", "nowhere/tiny.jsonl"], "does not exist"),
        (["load", "tiny.py"], "tiny.py"),
        (["launch", "tiny.py", "--seed", "5"], "is stored with seed 0, not 5"),
    ],
)
def test_bad_input_about_a_stored_study(arguments: list[str], words: str) -> None:
    run("launch", "tiny.py", "--max-trials", "2")
    result = run(*arguments)
    assert words in last_line(result)
    assert result.exit_code == 2


def test_a_study_file_with_an_error_names_file_and_line(folder: Path) -> None:
    write_tiny_study(folder, SOURCE + "\nnonsense = 1 / 0\n")
    result = run("launch", "tiny.py")
    assert result.exit_code == 2
    assert "tiny.py:25: ZeroDivisionError: division by zero" in last_line(result)


def test_an_algorithms_setting_of_another_type_is_refused() -> None:
    result = run("launch", "tiny.py", "--set", 'algorithm={"name": "nsga2", "population": "x"}')
    assert result.exit_code == 2
    assert "nsga2: population is 'x': expected a whole number" in last_line(result)


def test_an_error_without_words_of_its_own_is_told_by_its_class() -> None:
    failure = explain(KeyError("k"))
    assert (failure.message, failure.exit_code) == ("KeyError: k (--debug shows where)", 1)


def test_a_metric_that_no_trial_can_have_is_refused_before_the_first(folder: Path) -> None:
    write_tiny_study(folder, SOURCE + '\nevaluator.metrics = ("accuracy", "cost")\n')
    result = run("launch", "tiny.py")
    assert result.exit_code == 2
    assert "no trial can have the metric 'cost_ms': did you mean 'cost'?" in last_line(result)
    assert run("list").stdout.startswith("no studies yet")


def test_constraints_that_no_candidate_meets_are_told(folder: Path) -> None:
    network = "class Net(pg.Object):\n    width: int\n\n    def ops(self):\n        return linear((8,), self.width)"
    more = f"""
from hardware_models.counts import Counts
from hardware_models.op import linear

{network},


space = Net(pg.oneof([4, 8]))
evaluator = lambda task: {{"accuracy": 1.0, "cost_ms": 1.0}}
hardware_models = [Counts()]
constraints = ["params <= 3"]
"""
    write_tiny_study(folder, SOURCE + more)
    result = run("launch", "tiny.py")
    assert result.exit_code == 2
    assert "no candidate was found within params <= 3.0 (the least of all 2 candidates is 36)" in last_line(result)
    assert "why: " not in result.stdout


def test_a_study_without_a_feasible_trial_says_where_to_look(folder: Path) -> None:
    result = run("launch", "tiny.py", "--set", "constraints=cost_ms <= 0")
    assert "why: python -m search trials tiny --state infeasible" in result.stdout
    assert "why: python -m search trials tiny --state infeasible" in run("show", "tiny").stdout


def test_another_space_under_the_same_name_is_refused(folder: Path) -> None:
    run("launch", "tiny.py")
    write_tiny_study(folder, SOURCE.replace("[3, 5, 7]", "[3, 5, 9]"))
    result = run("launch", "tiny.py")
    assert result.exit_code == 2
    assert "is stored with another space" in last_line(result)


def test_a_file_that_is_no_database_is_left_alone(folder: Path) -> None:
    Path("search.db").write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    result = run("launch", "tiny.py")
    assert result.exit_code == 4
    assert "damaged or not a database" in last_line(result)


def test_an_unreachable_server_does_not_show_its_password() -> None:
    result = run("list", "--storage", "postgresql://me:secret@127.0.0.1:1/db")
    assert result.exit_code == 4
    assert "secret" not in result.output
    assert "127.0.0.1" in last_line(result)


def test_looking_makes_no_database() -> None:
    assert run("list").exit_code == 0
    assert not Path("search.db").exists()


def test_another_driver_is_named(folder: Path) -> None:
    from search.objectives import parse_objectives
    from search.storage import open_storage
    from search.study import Study
    from search.study_file import load_study_file

    study = load_study_file("tiny.py")
    with open_storage("sqlite:///search.db") as storage:
        held = Study.create_or_resume(
            storage, "tiny", study.space, study.algorithm, study.objectives, study.constraints, max_trials=12
        )
        result = run("launch", "tiny.py")
        held.close()
    assert parse_objectives({"accuracy": "maximize", "cost_ms": "minimize"}) == study.objectives
    assert result.exit_code == 5
    assert "is being driven by process" in last_line(result)


def test_debug_shows_the_traceback() -> None:
    result = run("launch", "nosuchstudy", "--debug")
    assert type(result.exception).__name__ == "StudyFileError"


def test_a_damaged_stored_study_is_told(folder: Path) -> None:
    run("launch", "tiny.py", "--max-trials", "2")
    with sqlite3.connect("search.db") as database:
        database.execute("UPDATE trials SET genotype = '[nonsense'")
    database.close()
    result = run("trials", "tiny")
    assert result.exit_code in (1, 2, 4)
    last_line(result)


def test_a_pipe_is_not_replaced_by_a_saved_study(folder: Path) -> None:
    run("launch", "tiny.py", "--launcher", "serial")
    os.mkfifo(folder / "pipe")
    result = run("save", "tiny", "pipe")
    assert (result.exit_code, "/pipe is no ordinary file, and is left as it is" in last_line(result)) == (2, True)
    assert (folder / "pipe").is_fifo()


def test_a_network_is_not_exported_into_a_pipe(folder: Path) -> None:
    run("launch", "tiny.py", "--launcher", "serial")
    os.mkfifo(folder / "pipe")
    result = run("export", "tiny", "--trial", "0", "--to", "pipe")
    assert (result.exit_code, last_line(result)) == (2, "error: pipe: File exists")
