"""A trial that fills the machine's memory: Ray ends its worker, the trial FAILS with that reason, the study goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from drivers import ENVIRONMENT, rows

pytestmark = [pytest.mark.faults, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(300)]

MEMORY = Path("/proc/meminfo")
STUDY = """
import time

import pyglove as pg

space = pg.oneof([0, 1, 2, 3])


def evaluator(task):
    held = []
    while task.number == 1 and len(held) < 40:
        held.append(b"x" * 2**27)
        time.sleep(0.1)
    yield {"accuracy": float(task.candidate)}


objectives = {"accuracy": "maximize"}
max_trials, workers, retries = 4, 1, 1
"""


def threshold() -> float:
    """Return the share of memory at which Ray shall act: 2 GiB above what is used now, of 5 that the trial takes."""
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in MEMORY.read_text().splitlines()}
    return 1 - (sizes["MemAvailable"] - 2 * 2**20) / sizes["MemTotal"]


@pytest.mark.skipif(not MEMORY.exists(), reason="needs Linux's /proc/meminfo")
def test_a_trial_that_fills_the_memory_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text(STUDY)
    limits = {"RAY_memory_usage_threshold": f"{threshold():.4f}", "RAY_memory_monitor_refresh_ms": "100"}
    command = [sys.executable, "-m", "search", "launch", "study.py"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT | limits, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = rows(f"sqlite:///{tmp_path}/search.db", "SELECT state, reason FROM trials ORDER BY number")
    assert [state for state, _ in found] == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    assert str(found[1][1]).startswith("out of memory: Ray ended the worker")
