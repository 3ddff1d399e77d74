"""The programs of docs/flows.md run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from drivers import ENVIRONMENT, ROOT

STUDY, PROGRAM = re.findall(r"```python\n(.*?)```", (ROOT / "docs/flows.md").read_text(), re.DOTALL)


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_study_file_can_be_launched(tmp_path: Path) -> None:
    (tmp_path / "my_flow.py").write_text(STUDY)
    printed = json.loads(run(tmp_path, "-m", "search", "launch", "my_flow.py", "--launcher", "serial", "--json"))
    assert printed["counts"]["COMPLETED"] == 8


def test_the_program_finds_the_best_both_ways(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    assert run(tmp_path, "program.py") == "nested: 0.0\nin one: 0.0\n"
