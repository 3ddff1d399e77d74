"""The page on training supernets: its example runs, and it names every sampler."""

from __future__ import annotations

import re
import subprocess
import sys

from drivers import ENVIRONMENT, ROOT

PAGE = (ROOT / "docs/supernet_training.md").read_text()
(PROGRAM,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_trains_and_scores() -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert [line.split()[0] for line in printed] == ["50%", "100%", "{'accuracy':"]


def test_every_sampler_stands_on_the_page() -> None:
    for path in (ROOT / "evaluators/samplers").glob("[!_]*.py"):
        (name,) = re.findall(r"^class (\w+)\((?:Sampler|ComplexityAware)\)", path.read_text(), re.MULTILINE)
        assert f"| `{name}` |" in PAGE
