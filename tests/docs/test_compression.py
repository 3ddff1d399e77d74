"""The page on compression: its study is launched, and one of its networks is exported."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drivers import ROOT, printed

STUDY, TRANSFORMERS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/compression.md").read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_study_is_launched_and_a_network_exported(tmp_path: Path) -> None:
    (tmp_path / "my_compression.py").write_text(STUDY)
    launch = ("launch", "my_compression.py", "--max-trials", "4", "--launcher", "serial", "--json")
    for command in (launch, ("export", "my_compression", "--trial", "0", "--to", "out", "--json")):
        output = printed(tmp_path, "-m", "search", *command)
    [saving] = json.loads(output)["savings"]
    assert saving["whole_ms"] > 0


@pytest.mark.slow
def test_the_study_of_transformers_is_launched(tmp_path: Path) -> None:
    (tmp_path / "my_transformers.py").write_text(TRANSFORMERS)
    settings = ("--max-trials", "4", "--launcher", "serial", "--json")
    found = json.loads(printed(tmp_path, "-m", "search", "launch", "my_transformers.py", *settings))
    assert found["counts"]["COMPLETED"] == 4
    assert all(trial["metrics"]["macs"] > 0 for trial in found["front"])
