"""The program of docs/preparations.md runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from drivers import ENVIRONMENT, ROOT

PROGRAM = re.findall(r"```python\n(# cross_entropy.*?)```", (ROOT / "docs/preparations.md").read_text(), re.DOTALL)[0]


def test_the_study_file_can_be_launched_and_finds_the_best_at_once(tmp_path: Path) -> None:
    (tmp_path / "cross_entropy.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "search", "launch", "cross_entropy.py", "--launcher", "serial", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["front"][0]["metrics"]["score"] == 0
    assert printed["front"][0]["number"] == 0
