"""The export of a pruned network tells what it takes on this machine, and what the whole one does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from search.cli.application import application
from search.cli.savings import Saving, savings
from search.cli.tables import Table
from spaces.lapp import pruned
from spaces.pruning.prunable import Prunable
from tests.spaces.pruning.nets import VGG

STUDY = '''"""How much of each layer can go?"""
from torch import nn

from spaces.lapp import lapp


def make():
    return nn.Sequential(nn.Conv2d(1, 64, 5), nn.ReLU(), nn.Conv2d(64, 10, 4), nn.Flatten())


space = lapp(make, (1, 8, 8), rates=(0.75, 0.9))
evaluator = lambda task: {"share": sum(task.candidate.rates.values())}
objectives = {"share": "maximize"}
max_trials = 1
launcher = "serial"
'''
SETUP = {"engine": "torch", "threads": 1, "batch": 1}


def test_the_card_and_the_output_tell_both_latencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEARCH_STORAGE", "sqlite:///search.db")
    (tmp_path / "mine.py").write_text(STUDY)
    for command in (("launch", "mine.py"), ("export", "mine", "--trial", "0", "--to", "out", "--json")):
        result = CliRunner().invoke(application, command)
        assert result.exit_code == 0, result.output
    [saving] = json.loads(result.stdout)["savings"]
    assert saving["setup"] == SETUP
    assert 0 < saving["left_ms"] < saving["whole_ms"]
    assert saving["predicted_left_ms"] is None
    assert "latency: " in (tmp_path / "out" / "README.md").read_text()


class Counting:
    """A made-up table: a millisecond for each operator of some channels."""

    def __call__(self, ops: list) -> dict[str, float]:  # type: ignore[type-arg]
        return {"latency_ms": float(sum(op.output[0] for op in ops))}


def test_predictions_are_of_the_tables_of_this_machine() -> None:
    network = Prunable(VGG, (3, 16, 16))
    elsewhere = Table(Counting(), "", {"device": "elsewhere", **SETUP})
    here = Table(Counting(), "", {"device": "this", **SETUP})
    candidate = pruned(network, (2, 3, 4, 6))
    [saving] = savings(candidate, SETUP, {"a": elsewhere, "b": here})
    assert saving.predicted_left_ms == Counting()(list(candidate.ops()))["latency_ms"]
    assert saving.predicted_whole_ms == Counting()(list(candidate.whole.ops()))["latency_ms"]


def test_it_is_told_in_a_line() -> None:
    told = str(Saving(SETUP, 2.0, 1.0, 3.0, 1.8))
    assert told.startswith(
        "1 ms, the whole network 2 ms: -50.0%; the latency table predicts -40.0% (measured here with"
    )


def test_what_is_whole_saves_nothing() -> None:
    assert savings(VGG(), SETUP, {}) == []
