"""SIGKILL of the driver at random instants: nothing durable is lost or run twice, and the study ends as it should."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from drivers import durable, executions, launch, rows, table

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]


def kill_once(folder: Path, url: str, instant: random.Random, *options: str) -> None:
    """Kill a driver: in one case of three while it starts up, else soon after its first new durable result."""
    before = durable(url)
    driver = launch(folder, url, *options)
    if instant.random() < 1 / 3:
        time.sleep(instant.uniform(0, 3))
    else:
        deadline = time.monotonic() + 60
        while durable(url) == before and driver.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(instant.uniform(0, 0.1))
    driver.kill()
    driver.wait()


def survive(folder: Path, url: str, kills: int, *options: str) -> Counter[int]:
    """Kill drivers, let the last one finish, and return how often each trial ran; check what was durable meanwhile."""
    instant, runs_when_durable = random.Random(kills), dict[int, int]()
    for _ in range(kills):
        kill_once(folder, url, instant, *options)
        assert set(runs_when_durable) <= durable(url), "a durable result was lost"
        for number in durable(url) - set(runs_when_durable):
            runs_when_durable[number] = executions(folder)[number]
    driver = launch(folder, url, *options)
    assert driver.wait(timeout=300) == 0, (folder / "log.txt").read_text()[-3000:]
    ran = executions(folder)
    assert {number: ran[number] for number in runs_when_durable} == runs_when_durable, "a durable result was run again"
    return ran


def assert_complete(url: str, trials: int, ran: Counter[int], kills: int, in_flight: int) -> None:
    """Check that each trial finished once, and that each kill cost at most the trials that were in flight."""
    assert durable(url) == set(ran) == set(range(trials))
    assert sum(ran.values()) <= trials + kills * in_flight
    assert rows(url, "SELECT count(*), max(told) - min(told) FROM trials") == [(trials, trials - 1)]


def test_serial_on_sqlite_equals_an_uninterrupted_run(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    options = ("--launcher", "serial", "--seed", "7", "--max-trials", "200")
    assert launch(whole, f"sqlite:///{whole}/search.db", *options).wait(timeout=120) == 0
    url = f"sqlite:///{tmp_path}/search.db"
    ran = survive(tmp_path, url, 30, *options)
    assert_complete(url, 200, ran, 30, 1)
    assert table(url) == table(f"sqlite:///{whole}/search.db")


@pytest.mark.postgres
def test_serial_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    ran = survive(tmp_path, postgres_url, 6, "--launcher", "serial", "--max-trials", "80")
    assert_complete(postgres_url, 80, ran, 6, 1)


@pytest.mark.ray
def test_ray_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/search.db"
    options = ("--launcher", "ray", "--workers", "2", "--max-trials", "400")
    ran = survive(tmp_path, url, 5, *options)
    assert durable(url) == set(ran) == set(range(400))
