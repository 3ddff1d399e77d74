"""Learned pruning rates on the command line: from a profile over a latency budget to an export; and a baseline's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evaluators.pruning.result import learned
from search.cli.application import application

STUDY = '''"""How much of each layer can go?"""
from pathlib import Path

from torch import nn

from evaluators.datasets import EnlargedDigits
from evaluators.lapp import Lapp
from evaluators.train import Train
from evaluators.trained_pruning import TrainedPruning
from hardware_models.latency_table import LatencyTable
from spaces.lapp import lapp

method = "lapp"


def make():
    layers = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    layers += [nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def table():
    return LatencyTable.from_json(Path("table.json").read_text())


space = lapp(make, (3, 8, 8), rates=(0.0, 0.25, 0.5, 0.75), multiple=8)
images = EnlargedDigits(1)
learning = Lapp(images, epochs=1, batch=128, model=table)
preparations = [learning if method == "lapp" else TrainedPruning(method, images, epochs=1, batch=128)]
evaluator = Train(images, epochs=1)
objectives = {"accuracy": "maximize"}
report = ["latency_ms"] if method == "lapp" else []
algorithm = "distribution"
max_trials = 1
launcher = "serial"
measure = 0
anchors = 0
'''


def done(*command: str) -> Any:
    result = CliRunner().invoke(application, [*command, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCH_STORAGE", "sqlite:///search.db")
    (tmp_path / "mine.py").write_text(STUDY)


def proposed(folder: Path) -> tuple[list[float], list[float]]:
    """Return the first trial's rates, and the learned ones."""
    [result] = folder.glob("runs/preparations/*/pruning.json")
    document = json.loads((folder / "winner" / "candidate.json").read_text())
    rates = [float(rate) for rate in document["candidate"]["rates"].values()]
    return rates, [1 - width / 64 for width in learned(result.parent)]


def test_a_latency_budget_is_profiled_learned_tried_and_exported(tmp_path: Path) -> None:
    table = done("profile", "mine.py", "--rounds", "2", "--validate", "0")["table"]
    done("devices", "export", table["provenance"]["device"], "table.json")
    done("launch", "mine.py")
    [saving] = done("export", "mine", "--trial", "0", "--to", "winner")["savings"]
    assert saving["left_ms"] < saving["whole_ms"]
    rates, wished = proposed(tmp_path)
    assert all(abs(rate - wish) <= 0.125 for rate, wish in zip(rates, wished, strict=True))


def test_a_baseline_is_launched_by_name(tmp_path: Path) -> None:
    done("launch", "mine.py", "--set", "method=sap")
    done("export", "mine", "--trial", "0", "--to", "winner")
    rates, wished = proposed(tmp_path)
    assert all(abs(rate - wish) <= 0.125 for rate, wish in zip(rates, wished, strict=True))
