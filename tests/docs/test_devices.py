"""The page on devices: its files are imported as it says, its program runs, and it leaves no command out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from drivers import ENVIRONMENT, ROOT

from hardware_models.importing import formats
from search.cli.application import application
from search.cli.devices import devices

PAGE = (ROOT / "docs/devices.md").read_text()
FILES = dict(re.findall(r"`([\w.-]+\.(?:csv|json))`:\n```\w+\n(.*?)```", PAGE, re.DOTALL))
IMPORTS = re.findall(r"^python -m search (devices (?:import|export) .*)$", PAGE, re.MULTILINE)


def test_every_command_and_format_stands_on_the_page() -> None:
    assert [name for name in devices.commands if f"devices {name}" not in PAGE] == []
    assert [name for name in formats() if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("command", [line for line in IMPORTS if ".gz" not in line])
def test_the_examples_are_imported(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)
    if command.startswith("devices export"):
        CliRunner().invoke(application, ["devices", "import", "my-phone.csv"])
    result = CliRunner().invoke(application, command.split())
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_codes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cells.csv").write_text(FILES["cells.csv"])
    result = CliRunner().invoke(application, ["devices", "import", "cells.csv", "--space", "nasbench201"])
    assert "has 25 numbers to be learnt, from at least as many networks; got 2" in result.stderr


def test_the_program_runs() -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "networks=200" in done.stdout
