"""The shipped studies that train a nested supernet, launched small: inherited accuracies, limits, exported weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from search.cli.application import application
from search.study_file import StudyFileError, load_study_file

ELASTICVIT = (
    "elasticvit", "--launcher", "serial", "--set", "supernet_epochs=1", "--set", "supernet_batch=400",
    "--set", "networks=2",
)  # fmt: skip
ONCE_FOR_ALL = ("once_for_all", "--set", "train=true", "--set", "supernet_epochs=2", "--set", "train_limit_ms=0.07")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    return tmp_path


def launch(*arguments: str) -> Any:
    result = CliRunner().invoke(application, ["launch", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def test_latencies_are_of_one_image_whatever_the_supernet_takes() -> None:
    assert load_study_file("elasticvit").batch == 1


def test_the_papers_search_is_of_accuracy_within_a_window_of_multiply_accumulates() -> None:
    found = load_study_file("elasticvit", {"search": "paper", "limit_macs": "3e6"})
    assert (found.algorithm.name, [each.metric for each in found.objectives]) == ("truncation_evolution", ["accuracy"])
    assert [str(each) for each in found.constraints] == ["macs >= 3000000.0", "macs <= 3600000.0"]
    with pytest.raises(StudyFileError, match="search must be nsga2 or paper, got 'grid'"):
        load_study_file("elasticvit", {"search": "grid"})


@pytest.mark.slow
def test_vision_transformers_inherit_from_one_supernet_and_are_exported(folder: Path) -> None:
    first, _ = launch(*ELASTICVIT, "--max-trials", "1")
    again, said = launch(*ELASTICVIT, "--max-trials", "2", "--name", "other")
    assert "nested supernet: stored as preparation" in said
    assert (first["counts"]["COMPLETED"], again["counts"]["COMPLETED"]) == (1, 2)
    metrics = again["front"][0]["metrics"]
    assert {"accuracy", "test_accuracy", "latency_ms@raspberrypi4-estimated", "macs"} <= metrics.keys()
    done = CliRunner().invoke(application, ["export", "other", "--trial", "0", "--to", "exported"])
    assert done.exit_code == 0, done.output
    weights = torch.load(folder / "exported" / "state_dict.pt", weights_only=True)
    assert weights["head.norm.norm.running_var"].abs().sum() > 0
    card = (folder / "exported" / "README.md").read_text()
    assert "The weights are those that the trial kept" in card
    assert "add_free_dimension_override_by_name('batch', 1)" in card
    settings = ("--set", "teacher=exported", "--set", "recipe=paper", "--name", "taught")
    taught, _ = launch(*ELASTICVIT, "--max-trials", "1", *settings)
    assert taught["counts"]["COMPLETED"] == 1
    searched, _ = launch(*ELASTICVIT, "--max-trials", "2", "--set", "search=paper", "--name", "searched")
    assert 2e6 <= searched["front"][0]["metrics"]["macs"] <= 2.4e6


@pytest.mark.slow
def test_once_for_all_is_trained_and_searched_within_a_latency() -> None:
    found, said = launch(*ONCE_FOR_ALL, "--max-trials", "3")
    assert "accuracy_smallest" in said
    assert found["counts"]["COMPLETED"] == 3
    assert found["front"][0]["metrics"]["latency_ms@raspberrypi4-estimated"] <= 0.07
