"""What there is, and whether the environment can run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from search.cli.application import application
from search.cli.output import Output

ROOT = Path(__file__).resolve().parents[2]


def document(*arguments: str) -> dict:  # type: ignore[type-arg]
    return json.loads(CliRunner().invoke(application, [*arguments, "--json"]).stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("studies", "nasbench201"),
        ("studies", "digits"),
        ("spaces", "nasbench201"),
        ("algorithms", "regularized_evolution"),
    ],
)
def test_listings_describe_what_there_is(command: str, name: str) -> None:
    [entry] = [entry for entry in document(command)[command] if entry["name"] == name]
    assert len(entry["description"]) > 20


def test_algorithms_are_listed_with_what_they_support() -> None:
    listed = {entry["name"]: entry for entry in document("algorithms")["algorithms"]}
    assert listed["exhaustive"]["supports"] == {
        "objectives": None,
        "constraints": "known",
        "conditional": True,
        "floats": False,
        "batches": True,
        "exact_resume": True,
    }
    assert listed["pyglove"]["supports"]["objectives"] == 1
    assert listed["nsga2"]["reference"] == "Deb et al., IEEE TEC 2002"


def test_the_table_of_algorithms_has_one_line_each() -> None:
    lines = CliRunner().invoke(application, ["algorithms"]).stdout.splitlines()
    [line] = [line for line in lines if line.startswith("pyglove")]
    assert line.endswith("1     known    yes    yes     yes    no")
    assert "Any PyGlove generator (Peng et al., NeurIPS 2020)" in line
    assert all(line.count("(") == line.count(")") for line in lines)


def test_on_a_narrow_terminal_what_an_algorithm_is_stands_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Output, "rich", True)
    monkeypatch.setenv("COLUMNS", "80")
    lines = CliRunner().invoke(application, ["algorithms"]).stdout.splitlines()
    described, able = (line.split(maxsplit=1)[1].strip() for line in lines if line.strip().startswith("hill_climb"))
    assert described == "Stochastic hill climbing (PyGlove's `hill_climb`)"
    assert able.split() == ["any", "any", "yes", "yes", "yes", "yes"]
    assert max(map(len, lines)) <= 80


def test_another_packages_algorithm_is_listed_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy-1.dist-info").mkdir()
    (tmp_path / "toy-1.dist-info/METADATA").write_text("Name: toy\nVersion: 1\n")
    (tmp_path / "toy-1.dist-info/entry_points.txt").write_text("[nas_search.algorithms]\ntoy = no_module:Toy\n")
    monkeypatch.syspath_prepend(tmp_path)
    [entry] = [entry for entry in document("algorithms")["algorithms"] if entry["name"] == "toy"]
    assert (entry["description"], entry["source"], entry["supports"]) == ("no_module:Toy", "toy", None)


def test_listings_leave_out_what_is_no_space() -> None:
    assert "genotype" not in [entry["name"] for entry in document("spaces")["spaces"]]


def test_devices_names_this_machine(tmp_path: Path) -> None:
    found = document("devices", "--storage", f"sqlite:///{tmp_path}/search.db")
    assert found["tables"] == []
    assert found["this"]["id"].startswith("cpu-")


def test_doctor_checks_names_packages_and_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checks = {check["name"]: check for check in document("doctor")["checks"]}
    assert {"import names", "torch", "ray", "storage", "disk", "load"} <= checks.keys()
    assert checks["import names"]["result"] == "ok"


def test_doctor_fails_where_the_storage_does(tmp_path: Path) -> None:
    result = CliRunner().invoke(application, ["doctor", "--storage", f"sqlite:///{tmp_path}/no/search.db"])
    assert result.exit_code == 1
    assert "1 of" in result.stdout
    assert "does not exist" in result.stdout


def test_a_stranger_that_owns_an_import_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "__init__.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-P", "-m", "search", "studies"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: `import spaces` finds ")
    assert "pip uninstall spaces" in done.stderr
