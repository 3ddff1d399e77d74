"""The Ray launcher, on a real Ray cluster and real studies in SQLite."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from launched_study import LaunchedStudy

from search.launchers._base import LauncherError
from search.launchers.cluster import OBJECT_STORE_BYTES
from search.launchers.ray import RayLauncher, low_memory_pause_s

pytestmark = pytest.mark.ray

Launch = Callable[..., LaunchedStudy]


@pytest.fixture(scope="module", autouse=True)
def ray_on_this_machine() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield
    ray.shutdown()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    made: list[LaunchedStudy] = []

    def make(evaluator: str, **settings: Any) -> LaunchedStudy:
        made.append(LaunchedStudy(tmp_path, evaluator, **settings))
        return made[-1]

    yield make
    for study in made:
        study.close()


def two(**settings: Any) -> RayLauncher:
    return RayLauncher(workers=2, **settings)


def test_a_cheap_study_completes_in_batches(launch: Launch) -> None:
    launched = launch("open(f'{folder}/{os.getpid()}', 'a').write('x\\n'); return {'x': number}", max_trials=101)
    assert launched.run(two()) == "space exhausted"
    table = launched.study.trials()
    assert launched.states() == ["COMPLETED"] * 100
    assert table.metrics["x"].tolist() == list(range(100))
    assert set(table.attempts) == {1}
    assert 1 <= len(set(table.workers)) <= 2


def test_an_exception_fails_one_trial_and_no_other(launch: Launch) -> None:
    launched = launch("yield {'x': 1 / (number - 2)}")
    assert launched.run(two()) == "budget reached"
    assert launched.states() == ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED", "COMPLETED", "COMPLETED"]
    assert launched.reason(2) == "ZeroDivisionError: division by zero"


def test_a_broken_constraint_stops_a_slow_trial_at_once(launch: Launch) -> None:
    evaluator = """
        time.sleep(0.25)
        yield {"latency_ms": 10.0 * number}
        open(f"{folder}/{number}", "w").close()
        yield {"x": 1.0}
    """
    launched = launch(evaluator, max_trials=3, constraints=("latency_ms <= 5",))
    launched.run(two())
    assert launched.states() == ["COMPLETED", "INFEASIBLE", "INFEASIBLE"]
    assert [path.name for path in launched.folder.glob("[0-9]")] == ["0"]


def test_every_measurement_of_a_slow_trial_is_kept(launch: Launch) -> None:
    launched = launch("for x in (1, 2, 3):\n    time.sleep(0.1)\n    yield {'x': x}", max_trials=2)
    launched.run(two())
    assert [row[:3] for row in launched.study.measurements(1)] == [(0, "x", 1.0), (1, "x", 2.0), (2, "x", 3.0)]


def test_what_an_evaluator_writes_is_kept_with_its_trial(launch: Launch) -> None:
    evaluator = """
        import logging, warnings
        if number == 0:
            logging.getLogger("mine").error("logged")
            yield {"x": 0.0}
            time.sleep(0.3)
            warnings.warn("careful")
            raise ValueError("broken")
        if number % 2:
            print("odd", number)
        yield {"x": 1.0}
    """
    launched = launch(evaluator, max_trials=40)
    launched.run(two())
    first, *others = (launched.study.log(number) for number in range(40))
    assert others == [f"odd {number}" if number % 2 else "" for number in range(1, 40)]
    assert launched.states()[0] == "FAILED"
    assert first.startswith("logged\n")
    assert "UserWarning: careful" in first


def test_a_worker_killed_within_a_trial_is_replaced_and_the_trial_run_again(launch: Launch) -> None:
    launched = launch("if (number, attempt) == (3, 1): os.kill(os.getpid(), signal.SIGKILL)\nyield {'x': 1}")
    assert launched.run(two()) == "budget reached"
    assert launched.states() == ["COMPLETED"] * 6
    assert launched.attempts()[3] == 2
    assert launched.attempts().count(1) >= 4  # an answer that the dying worker had just sent may be lost with it


def test_a_trial_that_always_kills_its_worker_fails_alone(launch: Launch) -> None:
    launched = launch("if number == 30: os.kill(os.getpid(), signal.SIGKILL)\nyield {'x': 1}", max_trials=60, retries=1)
    launched.run(two())
    assert [number for number, state in enumerate(launched.states()) if state != "COMPLETED"] == [30]
    assert launched.states()[30] == "FAILED"
    assert launched.reason(30).startswith("the worker's process died")
    assert launched.attempts()[30] in (2, 3)  # once more where it was not the only suspect


def test_no_neighbour_of_a_deadly_trial_is_blamed_even_without_retries(launch: Launch) -> None:
    launched = launch("if number % 20 == 19: os.kill(os.getpid(), 9)\nyield {'x': 1}", max_trials=60, retries=0)
    launched.run(two())
    assert [number for number, state in enumerate(launched.states()) if state != "COMPLETED"] == [19, 39, 59]


def test_a_hanging_trial_is_given_up_and_the_others_go_on(launch: Launch) -> None:
    launched = launch("if number == 1: time.sleep(60)\nyield {'x': 1}", max_trials=4, retries=0)
    began = time.monotonic()
    launched.run(two(timeout_s=1.0))
    assert launched.states() == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    assert launched.reason(1).startswith("time-out after 1 s")
    assert time.monotonic() - began < 30


def test_an_interrupted_study_puts_its_trials_back_and_goes_on(launch: Launch) -> None:
    launched = launch("time.sleep(60 if attempt == 1 else 0)\nyield {'x': 1}", max_trials=2, retries=0)

    def stop() -> str | None:
        return "interrupted" if launched.study.counts()["RUNNING"] == 2 else None

    assert launched.run(two(), stop) == "interrupted"
    assert launched.states() == ["PENDING", "PENDING"]
    assert launched.run(two()) == "budget reached"
    assert launched.attempts() == [2, 2]


def test_a_request_to_stop_lets_running_trials_finish(launch: Launch) -> None:
    launched = launch("time.sleep(1.5)\nyield {'x': 1}", max_trials=50)

    def ask_for_the_end(study: Any) -> None:
        if study.counts()["RUNNING"]:
            launched.storage.request("launched", "stop")

    reason = two().run(launched.study, launched.recipe, lambda: None, ask_for_the_end)
    assert reason == "stopped"
    assert set(launched.states()) == {"COMPLETED"}
    assert len(launched.states()) < 50


def test_a_paused_run_waits_for_its_workers_and_goes_on(launch: Launch) -> None:
    launched = launch("time.sleep(0.2)\nyield {'x': 1}", max_trials=30)
    waited: list[int] = []

    def pause_once(study: Any) -> None:
        counts = study.counts()
        if not waited and counts["COMPLETED"]:
            launched.storage.request("launched", "pause")
        if study.requested() == "pause" and not counts["RUNNING"]:
            waited.append(counts["COMPLETED"])
            launched.storage.request("launched", None)

    assert two().run(launched.study, launched.recipe, lambda: None, pause_once) == "budget reached"
    assert 0 < waited[0] < 30
    assert launched.states() == ["COMPLETED"] * 30


def test_workers_get_as_many_threads_as_cpus(launch: Launch) -> None:
    launched = launch("yield {'x': float(os.environ['OMP_NUM_THREADS'])}", max_trials=1)
    RayLauncher(workers=1, cpus_per_worker=2).run(launched.study, launched.recipe, lambda: None)
    assert launched.study.trials().metrics["x"].tolist() == [2.0]


def test_workers_that_cannot_start_are_a_launcher_error(launch: Launch) -> None:
    launched = launch("yield {'x': 1}")
    driver = os.getpid()

    def recipe() -> Any:
        if os.getpid() != driver:
            raise ImportError("No module named 'jax'")

    with pytest.raises(LauncherError, match=r"workers cannot start: .*ImportError: No module named 'jax'"):
        two().run(launched.study, recipe, lambda: None)
    assert launched.states() == []


def test_what_cannot_be_sent_is_a_launcher_error(launch: Launch, tmp_path: Path) -> None:
    launched = launch("yield {'x': 1}")
    with (tmp_path / "open").open("w") as file, pytest.raises(LauncherError, match="cannot be sent to them"):
        two().run(launched.study, lambda: file, lambda: None)  # type: ignore[arg-type,return-value]


def test_more_than_any_node_has_is_a_launcher_error(launch: Launch) -> None:
    launched = launch("yield {'x': 1}")
    with pytest.raises(LauncherError, match="no node can hold a worker of 1 CPUs and 4 GPUs; the cluster has 2 CPUs"):
        two(gpus_per_worker=4).run(launched.study, launched.recipe, lambda: None)


def test_pauses_for_want_of_memory_grow_up_to_a_bound() -> None:
    assert [low_memory_pause_s(before) for before in (0, 1, 3, 4, 5000)] == [1, 2, 8, 10, 10]
