"""The programs of docs/flows.md run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drivers import ROOT, printed

STUDY, PROGRAM = re.findall(r"```python\n(.*?)```", (ROOT / "docs/flows.md").read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_study_file_can_be_launched(tmp_path: Path) -> None:
    (tmp_path / "my_flow.py").write_text(STUDY)
    found = json.loads(printed(tmp_path, "-m", "search", "launch", "my_flow.py", "--launcher", "serial", "--json"))
    assert found["counts"]["COMPLETED"] == 8


def test_the_program_finds_the_best_both_ways(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    assert printed(tmp_path, "program.py") == "nested: 0.0\nin one: 0.0\n"
