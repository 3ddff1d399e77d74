"""The shipped NASNet study, launched: trained accuracy against multiply-accumulates, and it resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from search.cli.application import application

QUICK = ("--launcher", "serial", "--set", "epochs=1", "--set", "cells=2", "--set", "filters=2", "--json")


def test_networks_are_trained_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCH_STORAGE", raising=False)
    done = []
    for trials in ("1", "2"):
        result = CliRunner().invoke(application, ["launch", "nasnet", *QUICK, "--max-trials", trials])
        assert result.exit_code == 0, result.output
        done.append(json.loads(result.stdout))
    assert [(each["counts"]["COMPLETED"], each["new_trials"]) for each in done] == [(1, 1), (2, 1)]
    best = done[1]["front"][0]["metrics"]
    assert {"accuracy", "macs", "params"} <= best.keys()
    assert 10_000 < best["macs"] < 1_000_000
