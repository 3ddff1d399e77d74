"""The command line starts quickly: importing it, and its help, load nothing heavy."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from search.cli.application import SECTIONS

HEAVY = ("torch", "ray", "sqlalchemy", "pyglove", "numpy", "pandas", "matplotlib", "rich")
COMMANDS = sorted(command.name or "" for commands in SECTIONS.values() for command in commands)


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    code = f"import search.cli, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_listing_the_algorithms_loads_nothing_heavier_than_numpy() -> None:
    names = (*HEAVY, "scipy", "optuna", "moocore")
    code = f"""
import sys
from click.testing import CliRunner
from search.cli.application import application
assert CliRunner().invoke(application, ["algorithms"]).exit_code == 0
print([name for name in {names!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['numpy']\n"


def test_help_lists_every_command() -> None:
    done = subprocess.run([sys.executable, "-m", "search", "--help"], capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and line.strip()}
    assert set(COMMANDS) <= listed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    from click.testing import CliRunner

    from search.cli.application import application

    result = CliRunner().invoke(application, [name, "--help"])
    assert result.exit_code == 0
    assert f"python -m search {name}" in result.stdout.split("Example")[1]


@pytest.mark.parametrize("arguments", [["--help"], ["devices", "--help"]])
def test_commands_are_listed_with_whole_sentences(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "search", *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(r"[\w,]\.\.\.", shown) is None
