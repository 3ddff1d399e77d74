"""A node that runs low on memory: the trial that takes it FAILS; where somebody else does, the study waits."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from drivers import ENVIRONMENT, rows

from search.launchers.ray import START_TRIES

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(300)]

MEMORY = Path("/proc/meminfo")
if not MEMORY.exists():
    pytest.skip("needs Linux's /proc/meminfo", allow_module_level=True)

STUDY = """
import time

import pyglove as pg

space = pg.oneof(range({trials}))


def evaluator(task):
    held = []
    while task.number == {greedy} and len(held) < {blocks}:
        held.append(b"x" * 2**27)
        time.sleep(0.05)
    time.sleep({seconds})
    yield {{"accuracy": float(task.candidate)}}


objectives = {{"accuracy": "maximize"}}
max_trials, workers, retries = {trials}, 1, {retries}
"""
BLOCK = 2**27
"""What is taken at a time, in bytes."""


def available_kib() -> tuple[int, int]:
    """Return how much memory is available, and how much there is, in KiB."""
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in MEMORY.read_text().splitlines()}
    return sizes["MemAvailable"], sizes["MemTotal"]


def room_kib() -> int:
    """Return how much more may be used before Ray acts: so much that what other tests use seldom matters, in KiB."""
    return min(4 * 2**20, available_kib()[0] // 3)


def limits() -> dict[str, str]:
    """Return the settings with which Ray acts when `room_kib` more is used than now."""
    available, total = available_kib()
    share = 1 - (available - room_kib()) / total
    return {"RAY_memory_usage_threshold": f"{share:.4f}", "RAY_memory_monitor_refresh_ms": "100"}


def test_a_trial_that_fills_the_memory_fails_alone(tmp_path: Path) -> None:
    blocks = 2 * room_kib() * 1024 // BLOCK
    (tmp_path / "study.py").write_text(STUDY.format(trials=4, greedy=1, blocks=blocks, seconds=0, retries=1))
    command = [sys.executable, "-m", "search", "launch", "study.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT | limits(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = rows(f"sqlite:///{tmp_path}/search.db", "SELECT state, reason FROM trials ORDER BY number")
    assert [state for state, _ in found] == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    assert str(found[1][1]).startswith("out of memory: Ray ended the worker")


def test_a_study_waits_while_somebody_else_fills_the_memory(tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text(STUDY.format(trials=8, greedy=-1, blocks=0, seconds=1, retries=1000))
    log, most = tmp_path / "log", 2 * room_kib() * 1024 // BLOCK
    command = [sys.executable, "-m", "search", "launch", "study.py"]
    with log.open("w") as stderr:
        driver = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT | limits(), stderr=stderr)
    held = []
    try:
        while log.read_text().count("worker (starting) is replaced: out of memory") <= START_TRIES:
            assert driver.poll() is None, log.read_text()
            if "(starting) is replaced" not in log.read_text() and len(held) < most:
                held.append(b"x" * BLOCK)
            time.sleep(0.05)
        held.clear()
        assert driver.wait() == 0, log.read_text()
    finally:
        driver.kill()
    found = rows(f"sqlite:///{tmp_path}/search.db", "SELECT state FROM trials")
    assert found == [("COMPLETED",)] * 8
