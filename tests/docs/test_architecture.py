"""The worked examples of docs/architecture.md: put where they say they belong, they work together."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```python\n# (\S+?\.py)[^\n]*\n(.*?)```", re.DOTALL)


def examples() -> dict[str, str]:
    """Return the code of each example by the path in its first line."""
    return dict(BLOCK.findall((ROOT / "docs/architecture.md").read_text()))


def test_each_example_has_at_most_25_lines() -> None:
    assert {path: code.count("\n") for path, code in examples().items() if code.count("\n") > 25} == {}


@pytest.mark.slow
def test_the_examples_work_together(tmp_path: Path) -> None:
    for package in ("search", "spaces", "evaluators", "hardware_models"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    found = examples()
    assert len(found) == 5
    for path, code in found.items():
        (tmp_path / path).write_text(code)
    command = [sys.executable, "-m", "search", "launch", "perceptrons.py", "--launcher", "serial", "--json"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["COMPLETED"] == 10
