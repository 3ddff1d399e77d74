"""The shipped study of token counts, launched: a transformer is trained, its counts are learned and tried first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from evaluators.diffrate import weights
from search.cli.application import application

QUICK = ("--launcher", "serial", "--set", "epochs=1", "--set", "learning_epochs=1", "--max-trials", "3", "--json")


def test_token_counts_are_learned_and_searched_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    result = CliRunner().invoke(application, ["launch", "diffrate", *QUICK])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["counts"]["COMPLETED"] == 3
    (found,) = tmp_path.glob("runs/preparations/*/diffrate.json")
    counts = json.loads(found.read_text())
    exported = CliRunner().invoke(application, ["export", "diffrate", "--trial", "0", "--to", "first"])
    assert exported.exit_code == 0, exported.output
    program = torch.export.load(tmp_path / "first" / "model.pt2").module()
    whole = weights(found.parent)
    assert torch.equal(program.state_dict()["model.cls_token"], whole["cls_token"])
    candidate = json.loads((tmp_path / "first" / "candidate.json").read_text())["candidate"]
    assert (candidate["prune_kept"], candidate["merge_kept"]) == (counts["prune_kept"], counts["merge_kept"])
