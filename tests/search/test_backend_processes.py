"""Several processes on one sampling, processes that die, and what is the same after a resumption."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest

import search.backend  # noqa: F401 - makes the backend known
from search.storage import Storage, open_storage
from search.study_view import StudyView

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("sampling_program.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

pytestmark = pytest.mark.timeout(600)


def start(url: str, algorithm: str, examples: int, pause_s: float = 0.0, crash_at: int = 0) -> subprocess.Popen[str]:
    """Start a worker process."""
    arguments = [sys.executable, str(PROGRAM), url, algorithm, str(examples), str(pause_s), str(crash_at), "0"]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def accepted(*workers: subprocess.Popen[str]) -> list[list[int]]:
    """Wait for workers; return the trials whose results each of them has given."""
    printed = [worker.communicate(timeout=300)[0] for worker in workers]
    return [[int(line) for line in text.split()] for text in printed]


def genotypes(url: str) -> list[tuple[float, ...]]:
    """Return what was tried, by trial."""
    return [tuple(row) for row in StudyView(open_storage(url), "shared").trials().genotypes.tolist()]


def assert_each_once(url: str, given: list[list[int]], trials: int) -> None:
    """Check that every trial has one result, given by one worker, and was told in an order without gaps."""
    assert Counter(number for numbers in given for number in numbers) == Counter(range(1, trials + 1))
    with open_storage(url) as storage, storage.database.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT count(*), count(DISTINCT told), max(told), min(attempt), max(attempt) FROM trials"
        ).one()
        leases = connection.exec_driver_sql("SELECT count(*) FROM trial_leases").scalar()
    assert (tuple(row), leases) == ((trials, trials, trials - 1, 1, 1), 0)
    (summary,) = open_storage(url).studies()
    assert (summary.state, summary.reason, summary.counts["COMPLETED"]) == ("ended", "budget reached", trials)


@pytest.mark.parametrize("algorithm", ["random", "evolution", "factorized"])
def test_two_processes_share_a_sampling(url: str, algorithm: str) -> None:
    given = accepted(*(start(url, algorithm, 60, 0.01) for _ in range(2)))
    assert_each_once(url, given, 60)
    assert min(map(len, given)) > 5
    assert algorithm == "evolution" or len(set(genotypes(url))) == 60


def test_two_processes_sweep_a_space_without_gaps_or_repeats(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/search.db"
    given = accepted(*(start(url, "sweeping", 40, 0.01) for _ in range(2)))
    assert_each_once(url, given, 40)
    assert genotypes(url) == [(x, y) for x in range(20) for y in (0, 1)]


@pytest.mark.slow
def test_sixteen_processes_share_a_sampling(url: str) -> None:
    given = accepted(*(start(url, "random", 64, 0.2) for _ in range(16)))
    assert_each_once(url, given, 64)


@pytest.mark.parametrize("algorithm", ["regularized_evolution", "separate", "evolution", "sweeping"])
def test_after_a_crash_the_same_trials_are_made_as_without_one(tmp_path: Path, algorithm: str) -> None:
    whole, broken = f"sqlite:///{tmp_path}/whole.db", f"sqlite:///{tmp_path}/broken.db"
    accepted(start(whole, algorithm, 40))
    first = accepted(start(broken, algorithm, 40, crash_at=25))
    second = accepted(start(broken, algorithm, 40))
    assert (first, second) == ([list(range(1, 25))], [list(range(25, 41))])
    assert genotypes(broken) == genotypes(whole)


def test_a_trial_whose_worker_was_killed_is_run_by_another(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/search.db"
    killed, other = start(url, "random", 6, 30.0), start(url, "random", 6)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not running(url):
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    other.communicate()
    last = accepted(start(url, "random", 6))[0]
    table = StudyView(open_storage(url), "shared").trials()
    assert set(table.states.tolist()) == {"COMPLETED"}
    assert sorted(table.attempts.tolist()) in ([1, 1, 1, 1, 1, 2], [1] * 6)
    assert len(last) <= 6


def running(url: str) -> int:
    """Return how many trials some worker is at; 0 while there is no study."""
    try:
        (summary,) = open_storage(url).studies()
    except ValueError:
        return 0
    return summary.counts["RUNNING"]


def leave(storage: Storage, url: str, **options: Any) -> int:
    """Take a trial, and let go of it without a result; return its id."""
    _, feedback = next(pg.sample(pg.oneof([1, 2, 3]), pg.geno.Sweeping(), **options, storage=url))
    return int(feedback.id)


def test_a_trial_that_was_left_is_given_back_at_once_and_is_no_loss(storage: Storage, url: str) -> None:
    name = {"name": "left", "backend": "sql"}
    assert [leave(storage, url, **name) for _ in range(2)] == [1, 1]
    with storage.database.read() as connection:
        assert tuple(connection.exec_driver_sql("SELECT attempt, losses FROM trials").one()) == (2, 0)
