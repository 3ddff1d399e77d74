"""The README's programs run, and it names every command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from drivers import ENVIRONMENT, ROOT

from search.cli.application import SECTIONS

README = (ROOT / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(command.name or "" for commands in SECTIONS.values() for command in commands)


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_study_file_can_be_launched(tmp_path: Path) -> None:
    (tmp_path / "my_study.py").write_text(PROGRAMS[0])
    printed = json.loads(run(tmp_path, "-m", "search", "launch", "my_study.py", "--launcher", "serial", "--json"))
    assert printed["counts"]["COMPLETED"] == 6
    assert all(trial["metrics"]["params"] <= 5000 for trial in printed["front"])


@pytest.mark.parametrize(("program", "printed"), [(2, "reward = 49.0"), (3, "accuracy")])
def test_the_python_programs_run(tmp_path: Path, program: int, printed: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAMS[program])
    assert printed in run(tmp_path, "program.py")


def test_the_rule_that_opens_an_ordinary_model_is_that_of_the_page_whose_study_runs() -> None:
    assert PROGRAMS[1] in (ROOT / "docs/spaces.md").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_named(name: str) -> None:
    assert re.search(rf"`(python -m search )?{name}[` ]", README)
