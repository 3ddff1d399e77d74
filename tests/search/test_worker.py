"""What a worker makes of evaluators that measure, fail, or give the wrong thing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from evaluators._base import Infeasible, Task
from search.launchers.worker import Assignment, Evaluation, Worker
from spaces.genotype import GenotypeSpace


def worker(evaluator: Callable[[Task], Any], timeout_s: float | None = None, batch_s: float = 9.0) -> Worker:
    space = GenotypeSpace(pg.Dict(a=pg.oneof([1, 2, 3])))
    return Worker(lambda: (space, evaluator), timeout_s, batch_s)


def assigned(number: int = 0) -> Assignment:
    return Assignment(np.zeros(1, np.uint8), number)


def evaluate(evaluator: Callable[[Task], Any], timeout_s: float | None = None) -> Evaluation:
    (evaluation,) = worker(evaluator, timeout_s).run([assigned()])
    return evaluation


def test_a_mapping_is_the_result() -> None:
    evaluation = evaluate(lambda task: {"x": 1})
    assert (evaluation.state, evaluation.metrics, evaluation.measurements) == ("COMPLETED", {"x": 1.0}, ())


def test_the_last_value_of_each_metric_counts() -> None:
    evaluation = evaluate(lambda task: iter([{"x": 1, "y": 5}, {"x": 2}]))
    assert evaluation.metrics == {"x": 2.0, "y": 5.0}
    assert evaluation.measurements == ({"x": 1.0, "y": 5.0}, {"x": 2.0})


def test_numpy_numbers_are_numbers() -> None:
    metrics = evaluate(lambda task: {"x": np.float32(0.5), "n": np.int64(3)}).metrics
    assert metrics == {"x": 0.5, "n": 3.0}
    assert type(metrics["x"]) is float


def test_an_evaluator_is_handed_its_task() -> None:
    seen: list[Task] = []
    worker(lambda task: seen.append(task) or {"x": 1}).run([Assignment(np.array([2]), 7, 2, 11, {"macs": 3.0})])
    task = seen[0]
    assert (task.number, task.attempt, task.seed, task.known, task.candidate.a) == (7, 2, 11, {"macs": 3.0}, 3)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "TypeError: the evaluator gave NoneType; expected a mapping of metrics, or yields of them"),
        (3.0, "TypeError: the evaluator gave float; expected"),
        ("x", "TypeError: the evaluator gave str; expected"),
        ({}, "ValueError: the evaluator gave no metrics"),
        ([], "ValueError: the evaluator gave no metrics"),
        ([3.0], "TypeError: the evaluator yielded float; expected a mapping of metric names to numbers"),
        ({"x": "1"}, "TypeError: metric 'x' is str; expected a number, e.g. float(value)"),
        ({"x": None}, "TypeError: metric 'x' is NoneType; expected a number"),
        ({"x": np.ones(1)}, "TypeError: metric 'x' is ndarray; expected a number"),
        ({1: 1.0}, "TypeError: metric name 1 is int; expected a string"),
    ],
)
def test_what_is_no_metrics_fails_the_trial(given: Any, reason: str) -> None:
    evaluation = evaluate(lambda task: given)
    assert evaluation.state == "FAILED"
    assert evaluation.reason.startswith(reason)


def test_an_exception_fails_the_trial_with_its_traceback_and_keeps_what_was_measured() -> None:
    def evaluator(task: Task) -> Any:
        yield {"x": 1.0}
        raise ValueError("two\nlines")

    evaluation = evaluate(evaluator)
    first, _, trace = evaluation.reason.partition("\n")
    assert (evaluation.state, first, evaluation.metrics) == ("FAILED", "ValueError: two lines", {"x": 1.0})
    assert 'raise ValueError("two\\nlines")' in trace


def test_an_endless_reason_is_cut() -> None:
    def evaluator(task: Task) -> Any:
        raise ValueError("x" * 100_000)

    assert len(evaluate(evaluator).reason) < 17_000


def test_an_exit_fails_the_trial() -> None:
    assert evaluate(lambda task: exit(3)).reason.startswith("SystemExit: 3\n")


def test_an_infeasible_candidate_is_infeasible() -> None:
    def evaluator(task: Task) -> Any:
        raise Infeasible("kernel larger than image")

    evaluation = evaluate(evaluator)
    assert (evaluation.state, evaluation.reason) == ("INFEASIBLE", "kernel larger than image")


def test_a_trial_past_its_time_fails_at_its_next_measurement() -> None:
    def evaluator(task: Task) -> Any:
        while True:
            time.sleep(0.03)
            yield {"x": 1.0}

    evaluation = evaluate(evaluator, timeout_s=0.1)
    assert (evaluation.state, evaluation.reason) == ("FAILED", "time-out after 0.1 s")
    assert 0.1 < evaluation.elapsed_s < 10.0


def test_a_batch_ends_when_its_time_is_used_up() -> None:
    slow = worker(lambda task: time.sleep(0.3) or {"x": 1}, batch_s=0.45)
    assert len(slow.run([assigned(number) for number in range(9)])) == 2


def test_a_batch_evaluates_at_least_one() -> None:
    assert len(worker(lambda task: {"x": 1}, batch_s=0.0).run([assigned(), assigned()])) == 1


def test_step_by_step_gives_measurements_and_then_the_evaluation() -> None:
    stepped = worker(lambda task: iter([{"x": 1}, {"x": 2}]))
    assert stepped.begin(assigned()) == {"x": 1.0}
    assert stepped.advance() == {"x": 2.0}
    ended = stepped.advance()
    assert isinstance(ended, Evaluation)
    assert (ended.state, ended.metrics, ended.measurements) == ("COMPLETED", {"x": 2.0}, ())


def test_the_time_that_a_caller_takes_does_not_count() -> None:
    stepped = worker(lambda task: iter([{"x": 1}]))
    stepped.begin(assigned())
    time.sleep(1.0)
    ended = stepped.advance()
    assert isinstance(ended, Evaluation)
    assert ended.elapsed_s < 0.9


def noting(done: list[int]) -> Callable[[Task], Any]:
    """Return an evaluator that writes which trial it is at, and notes in `done` which it was when it ends."""

    def evaluator(task: Task) -> Any:
        sys.stdout.write(f"trial {task.number}\n")
        try:
            yield {"x": 1.0}
        finally:
            done.append(task.number)

    return evaluator


def test_closing_runs_the_evaluators_finally() -> None:
    done: list[int] = []
    stepped = worker(noting(done))
    stepped.begin(assigned(4))
    stepped.close()
    assert done == [4]


def test_an_evaluator_that_fails_while_it_is_stopped_ends_no_worker(caplog: pytest.LogCaptureFixture) -> None:
    def unwilling(_task: Task) -> Any:
        try:
            yield {"x": 1}
            yield {"x": "many"}
        finally:
            raise OSError("cannot tidy up")

    stepped = worker(unwilling)
    stepped.begin(assigned())
    stepped.close()
    assert "TypeError: metric 'x' is str" in evaluate(unwilling).reason
    assert caplog.text.count("cannot tidy up") >= 2


def test_a_new_evaluation_closes_the_one_before() -> None:
    done: list[int] = []
    stepped = worker(noting(done))
    stepped.begin(assigned(4))
    stepped.begin(assigned(5))
    assert done == [4]


def test_a_trial_that_was_stopped_leaves_nothing_to_the_batch_after_it() -> None:
    done: list[int] = []
    both = worker(noting(done))
    both.begin(assigned(4))
    (evaluation,) = both.run([assigned(5)])
    assert (done, evaluation.log) == ([4, 5], "trial 5")


def test_going_on_needs_a_beginning() -> None:
    with pytest.raises(RuntimeError, match="no evaluation was begun"):
        worker(lambda task: {"x": 1}).advance()
