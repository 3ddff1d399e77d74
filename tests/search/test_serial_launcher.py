"""The serial launcher, on real studies in SQLite."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from launched_study import LaunchedStudy

from search.launchers._base import LauncherError
from search.launchers.serial import SerialLauncher

Launch = Callable[..., LaunchedStudy]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    made: list[LaunchedStudy] = []

    def make(evaluator: str, **settings: Any) -> LaunchedStudy:
        made.append(LaunchedStudy(tmp_path, evaluator, **settings))
        return made[-1]

    yield make
    for study in made:
        study.close()


def test_a_study_completes(launch: Launch) -> None:
    launched = launch("yield {'x': number}")
    assert launched.run(SerialLauncher()) == "budget reached"
    assert launched.states() == ["COMPLETED"] * 6
    np.testing.assert_array_equal(launched.study.trials().metrics["x"], [0, 1, 2, 3, 4, 5])


def test_a_small_space_is_exhausted(launch: Launch) -> None:
    launched = launch("return {'x': 1}", max_trials=101)
    assert launched.run(SerialLauncher()) == "space exhausted"
    assert len(launched.states()) == 100


def test_an_exception_fails_one_trial_and_no_other(launch: Launch) -> None:
    launched = launch("yield {'x': 1 / (number - 2)}")
    launched.run(SerialLauncher())
    assert launched.states() == ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED", "COMPLETED", "COMPLETED"]
    assert launched.reason(2) == "ZeroDivisionError: division by zero"


def test_a_broken_constraint_stops_a_trial_at_once(launch: Launch) -> None:
    evaluator = """
        yield {"latency_ms": 10.0 * number}
        open(f"{folder}/{number}", "w").close()
        yield {"x": 1.0}
    """
    launched = launch(evaluator, max_trials=3, constraints=("latency_ms <= 5",))
    launched.run(SerialLauncher())
    assert launched.states() == ["COMPLETED", "INFEASIBLE", "INFEASIBLE"]
    assert [path.name for path in launched.folder.glob("[0-9]")] == ["0"]


def test_every_measurement_is_kept(launch: Launch) -> None:
    launched = launch("for x in (1, 2, 3): yield {'x': x}", max_trials=1)
    launched.run(SerialLauncher())
    assert [row[:3] for row in launched.study.measurements(0)] == [(0, "x", 1.0), (1, "x", 2.0), (2, "x", 3.0)]
    assert launched.study.trials().metrics["x"][0] == 3.0


def test_what_an_evaluator_writes_is_kept_with_its_trial(launch: Launch, capsys: pytest.CaptureFixture[str]) -> None:
    evaluator = """
        if number:
            print("begin", number)
        yield {"x": 1.0}
        if number == 2:
            print("cannot go on")
            raise ValueError("broken")
        yield {"x": 2.0}
    """
    launched = launch(evaluator, max_trials=3)
    launched.run(SerialLauncher(), stop=lambda: sys.stdout.write("driver\n") and None)
    assert [launched.study.log(number) for number in range(3)] == ["", "begin 1", "begin 2\ncannot go on"]
    assert launched.states()[2] == "FAILED"
    assert "begin 2\ndriver\ncannot go on\n" in capsys.readouterr().out


def test_an_interrupted_trial_is_put_back_without_blame(launch: Launch) -> None:
    launched = launch("while True: yield {'x': number}", max_trials=1, retries=0)
    reasons = iter([None, None, "interrupted"])
    assert launched.run(SerialLauncher(), stop=lambda: next(reasons)) == "interrupted"
    assert launched.states() == ["PENDING"]


def test_an_interrupted_study_goes_on(launch: Launch) -> None:
    launched = launch("yield {'x': number}")
    reasons = iter([None] * 5)
    assert launched.run(SerialLauncher(), stop=lambda: next(reasons, "interrupted")) == "interrupted"
    assert 0 < len(launched.states()) < 6
    assert launched.run(SerialLauncher()) == "budget reached"
    assert launched.states() == ["COMPLETED"] * 6


def test_a_request_to_stop_ends_the_run(launch: Launch) -> None:
    launched = launch("yield {'x': number}")
    launched.storage.request("launched", "stop")
    assert launched.run(SerialLauncher()) == "stopped"
    assert launched.states() == []


def test_a_paused_run_waits_and_goes_on(launch: Launch) -> None:
    launched = launch("yield {'x': number}")
    launched.storage.request("launched", "pause")
    begun: list[int] = []

    def resume_after_a_while() -> None:
        time.sleep(0.5)
        begun.append(len(launched.states()))
        launched.storage.request("launched", None)

    threading.Thread(target=resume_after_a_while).start()
    assert launched.run(SerialLauncher()) == "budget reached"
    assert begun == [0]
    assert launched.states() == ["COMPLETED"] * 6


def test_a_paused_run_can_be_stopped(launch: Launch) -> None:
    launched = launch("yield {'x': number}")
    launched.storage.request("launched", "pause")
    looks = iter([None, None, "interrupted"])
    assert launched.run(SerialLauncher(), stop=lambda: next(looks)) == "interrupted"
    assert launched.states() == []


def test_a_trial_past_its_time_fails(launch: Launch) -> None:
    launched = launch("while number == 0:\n    yield {'x': 1}\nyield {'x': 1}", max_trials=2)
    launched.run(SerialLauncher(timeout_s=0.05))
    assert launched.states() == ["FAILED", "COMPLETED"]
    assert launched.reason(0) == "time-out after 0.05 s"


def test_the_worker_is_named(launch: Launch) -> None:
    launched = launch("yield {'x': number}", max_trials=1)
    launched.run(SerialLauncher())
    host, _, pid = str(launched.study.trials().workers[0]).rpartition(":")
    assert host
    assert pid.isdigit()


def test_progress_is_shown_at_the_end(launch: Launch) -> None:
    launched = launch("yield {'x': number}")
    shown: list[int] = []
    SerialLauncher().run(
        launched.study, launched.recipe, lambda: None, lambda study: shown.append(sum(study.counts().values()))
    )
    assert shown[0] == 0
    assert shown[-1] == 6


def test_a_recipe_that_raises_is_a_launcher_error(launch: Launch) -> None:
    launched = launch("yield {'x': number}")

    def recipe() -> Any:
        raise ImportError("no module named 'jax'")

    with pytest.raises(LauncherError, match="the evaluator cannot be made: ImportError: no module named 'jax'"):
        SerialLauncher().run(launched.study, recipe, lambda: None)
