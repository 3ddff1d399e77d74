"""Preparations on Ray: several at once, and what becomes of them when an actor or the driver is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from prepared_study import done, ended, start, stored, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

TWO = ("--launcher", "ray", "--workers", "2", "--set", "weights=[1.0, 2.0]", "--set", "pause_s=0.5")
EVERY_STEP = sorted((weight, step) for weight in (1.0, 2.0) for step in range(5))


def once(folder: Path) -> list[tuple[float, int]]:
    return sorted((weight, step) for _, weight, step in done(folder))


@pytest.mark.faults
def test_two_run_at_once_and_one_whose_actor_is_killed_goes_on(tmp_path: Path) -> None:
    driver = start(tmp_path, *TWO)
    wait_until(lambda: len({process for process, *_ in done(tmp_path)}) == 2 and len(done(tmp_path)) >= 4)
    victim = done(tmp_path)[0][0]
    assert victim != driver.pid
    os.kill(victim, signal.SIGKILL)
    code, err = ended(driver)
    assert code == 0, err
    assert once(tmp_path) == EVERY_STEP
    assert len({process for process, *_ in done(tmp_path)}) == 3
    query = "SELECT state, progress, (SELECT count(*) FROM preparation_measurements m WHERE m.key = p.key)"
    assert stored(tmp_path, f"{query} FROM preparations p") == [("COMPLETED", 1.0, 5)] * 2
    assert stored(tmp_path, "SELECT count(*) FROM trials WHERE state = 'COMPLETED'") == [(4,)]


@pytest.mark.faults
def test_after_sigkill_of_the_driver_both_go_on(tmp_path: Path) -> None:
    driver = start(tmp_path, *TWO)
    wait_until(lambda: len(done(tmp_path)) >= 3)
    driver.kill()
    driver.wait()
    code, err = ended(start(tmp_path, *TWO))
    assert code == 0, err
    assert once(tmp_path) == EVERY_STEP


def test_a_failure_of_one_ends_the_launch_and_keeps_what_the_other_has(tmp_path: Path) -> None:
    code, err = ended(start(tmp_path, *TWO, "--set", "fails_at=3"))
    assert code == 1
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert [error.partition(":")[2].partition(" failed")[0] for error in errors] == [" leaning for cost (weight=2.0)"]
    assert sorted(stored(tmp_path, "SELECT state FROM preparations")) == [("FAILED",), ("RUNNING",)]
    assert (1.0, 0) in once(tmp_path)
    assert (2.0, 3) not in once(tmp_path)


@pytest.mark.faults
def test_one_that_ends_its_actor_at_the_same_step_again_and_again_has_failed(tmp_path: Path) -> None:
    code, err = ended(start(tmp_path, "--launcher", "ray", "--workers", "1", "--set", "exits_at=2"))
    assert code == 1
    assert "error: leaning for cost failed: the worker's process died" in err
    assert stored(tmp_path, "SELECT state, progress FROM preparations") == [("FAILED", 0.4)]
    assert "(lost 4 times at step 2)" in str(stored(tmp_path, "SELECT reason FROM preparations"))
