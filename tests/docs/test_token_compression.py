"""The page on token compression: its study is launched, and its counts are learned."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drivers import ROOT, printed

PAGE = (ROOT / "docs/token_compression.md").read_text()
STUDY, JOINT, EVERYTHING, LEARNING = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(folder: Path, *command: str) -> str:
    (folder / "my_tokens.py").write_text(STUDY)
    (folder / "my_small_tokens.py").write_text(JOINT)
    (folder / "my_everything.py").write_text(EVERYTHING)
    (folder / "learning.py").write_text(LEARNING)
    return printed(folder, *command)


@pytest.mark.slow
def test_the_study_is_launched(tmp_path: Path) -> None:
    settings = ["--max-trials", "2", "--launcher", "serial", "--json"]
    found = json.loads(run(tmp_path, "-m", "search", "launch", "my_tokens.py", *settings))
    assert found["counts"]["COMPLETED"] == 2
    assert all(trial["metrics"]["macs"] <= 700e3 for trial in found["front"])


@pytest.mark.slow
@pytest.mark.parametrize(("study", "least"), [("my_small_tokens.py", 4), ("my_everything.py", 2)])  # rates may diverge
def test_the_joint_study_is_launched(tmp_path: Path, study: str, least: int) -> None:
    settings = ["--max-trials", "4", "--launcher", "serial", "--json"]
    found = json.loads(run(tmp_path, "-m", "search", "launch", study, *settings))
    assert found["counts"]["COMPLETED"] >= least
    assert all(trial["metrics"]["weight_bytes"] > 0 for trial in found["front"])


@pytest.mark.slow
def test_counts_are_learned(tmp_path: Path) -> None:
    lines = run(tmp_path, "learning.py").splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["0.25", "0.5", "0.75", "1.0"]
    assert re.fullmatch(r"\(17, \d+, \d+, \d+\)", lines[-1])
