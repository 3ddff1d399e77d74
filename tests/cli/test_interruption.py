"""Ctrl-C and SIGTERM: the first saves and ends within seconds, a second ends at once, and the study goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_study import write_tiny_study

ROOT = Path(__file__).resolve().parents[2]


def launch(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a launch whose study is in `folder`, and wait until a trial is in its database."""
    write_tiny_study(folder)
    command = [sys.executable, "-m", "search", "launch", str(folder / "tiny.py"), *arguments]
    storage = ["--storage", f"sqlite:///{folder}/search.db", "--plot", f"{folder}/front.png"]
    process = subprocess.Popen(
        [*command, *storage], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not trials(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return process


def trials(folder: Path) -> int:
    """Return how many trials there are so far."""
    import sqlite3

    if not (folder / "search.db").exists():
        return 0
    try:
        with sqlite3.connect(folder / "search.db", timeout=30) as database:
            return int(database.execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_saves_and_the_study_goes_on(tmp_path: Path, number: int, code: int) -> None:
    process = launch(tmp_path, "--set", "pause_s=0.3")
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert time.monotonic() - began < 15
    assert "stopping: no more work is handed out" in err
    assert "go on: python -m search launch" in out
    again = launch(tmp_path, "--json")
    document = json.loads(again.communicate(timeout=60)[0])
    assert (again.returncode, document["reason"], sum(document["counts"].values())) == (0, "budget reached", 12)


def test_an_evaluation_that_hangs_does_not_hold_the_first_signal_up(tmp_path: Path) -> None:
    process = launch(tmp_path, "--set", "pause_s=600.0")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 15


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    process = launch(tmp_path, "--set", "pause_s=600.0")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 5  # by the first it would be 6.5 s
