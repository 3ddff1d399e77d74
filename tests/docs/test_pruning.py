"""The page on pruning: its study is launched, and its rates are learned."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drivers import ROOT, printed

STUDY, LEARNING, *_ = re.findall(r"```python\n(.*?)```", (ROOT / "docs/pruning.md").read_text(), re.DOTALL)


def run(folder: Path, *command: str) -> str:
    (folder / "my_pruning.py").write_text(STUDY)
    (folder / "learning.py").write_text(LEARNING)
    return printed(folder, *command)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["random", "predictor"])
def test_the_study_is_launched(tmp_path: Path, algorithm: str) -> None:
    settings = ["--max-trials", "2", "--launcher", "serial", "--set", f"algorithm={algorithm}", "--json"]
    found = json.loads(run(tmp_path, "-m", "search", "launch", "my_pruning.py", *settings))
    assert found["counts"]["COMPLETED"] == 2
    assert all(trial["metrics"]["params"] <= 5000 for trial in found["front"])


@pytest.mark.slow
def test_rates_are_learned(tmp_path: Path) -> None:
    lines = run(tmp_path, "learning.py").splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["0.5", "1.0"]
    assert re.fullmatch(r"\{'0': 0\.\d+, '3': 0\.\d+\}", lines[-1])
