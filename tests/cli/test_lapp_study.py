"""The shipped study of pruning rates, launched: rates are learned, tried first, and their weights trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from evaluators.pruning.result import genotype, learned
from search.cli.application import application
from search.storage import open_storage
from search.study import Study
from search.study_file import load_study_file

QUICK = {
    "launcher": "'serial'", "resolution": "8", "limit": "200", "epochs": "1", "learning_epochs": "1",
    "objectives": "{'accuracy': 'maximize', 'macs': 'minimize'}", "report": "[]",
}  # fmt: skip


def launch(*more: str) -> tuple[int, str]:
    overrides = [word for name, value in QUICK.items() for word in ("--set", f"{name}={value}")]
    result = CliRunner().invoke(application, ["launch", "lapp", *overrides, "--json", *more])
    return result.exit_code, result.stdout or result.output


def test_rates_are_learned_and_searched_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    code, output = launch("--max-trials", "2")
    assert code == 0, output
    assert json.loads(output)["counts"]["COMPLETED"] == 2
    (folder,) = (found.parent for found in tmp_path.glob("runs/preparations/*/pruning.json"))
    space = load_study_file("lapp", {"resolution": "8"}).space
    with open_storage("sqlite:///search.db") as storage:
        first = Study.open(storage, "lapp").trials().genotypes[0]
    assert np.array_equal(first, genotype(space, learned(folder)))


def test_a_study_without_pruning_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = launch("--set", "preparations=[]")
    assert code == 2
    assert "FineTune(pruning=0) needs the preparation PruningPreparation at place 0" in output
