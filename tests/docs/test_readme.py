"""The README's programs run, and it names every command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drivers import ROOT, printed

from search.cli.application import SECTIONS

README = (ROOT / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(command.name or "" for commands in SECTIONS.values() for command in commands)


@pytest.mark.slow
def test_the_study_file_can_be_launched(tmp_path: Path) -> None:
    (tmp_path / "my_study.py").write_text(PROGRAMS[0])
    found = json.loads(printed(tmp_path, "-m", "search", "launch", "my_study.py", "--launcher", "serial", "--json"))
    assert found["counts"]["COMPLETED"] == 6
    assert all(trial["metrics"]["params"] <= 5000 for trial in found["front"])


@pytest.mark.parametrize(("program", "words"), [(2, "reward = 49.0"), (3, "accuracy")])
def test_the_python_programs_run(tmp_path: Path, program: int, words: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAMS[program])
    assert words in printed(tmp_path, "program.py")


def test_the_rule_that_opens_an_ordinary_model_is_that_of_the_page_whose_study_runs() -> None:
    assert PROGRAMS[1] in (ROOT / "docs/spaces.md").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_named(name: str) -> None:
    assert re.search(rf"`(python -m search )?{name}[` ]", README)
