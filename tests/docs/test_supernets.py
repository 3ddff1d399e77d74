"""The page on supernets: its examples run."""

from __future__ import annotations

import re
import subprocess
import sys

from drivers import ENVIRONMENT, ROOT

INHERITING, SEARCHING = re.findall(r"```python\n(.*?)```", (ROOT / "docs/supernets.md").read_text(), re.DOTALL)


def run(program: str) -> str:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_network_inherits_from_a_supernet() -> None:
    assert run(INHERITING) == ""


def test_a_search_ends_with_a_network() -> None:
    printed = run(SEARCHING).splitlines()
    assert [line.split()[0] for line in printed[:4]] == ["25%", "50%", "75%", "100%"]
    assert printed[4].count(",") == 2
