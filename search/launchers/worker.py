"""What runs in a worker: it holds the space and the evaluator once, and evaluates what it is assigned."""

from __future__ import annotations

import logging
import math
import os
import socket
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np

from evaluators._base import Evaluator, Infeasible, Shares, Task
from search.launchers.written import Written
from search.trials import TrialState
from spaces.genotype import GenotypeSpace

WorkerRecipe = Callable[[], tuple[GenotypeSpace, Evaluator]]
"""Makes what a worker holds. Must be picklable where workers are other processes; called once in each."""

REASON_CHARACTERS = 16_384
"""How much of a traceback's end is kept."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A trial on its way to a worker; see `evaluators._base.Task`."""

    genotype: np.ndarray
    number: int = 0
    attempt: int = 1
    seed: int = 0
    known: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of an assignment.

    Attributes:
      state: COMPLETED, INFEASIBLE or FAILED.
      metrics: each metric's last value.
      measurements: everything that was yielded, in order, where that is more than `metrics` says, else empty.
      reason: why it did not complete: one line, then the end of the traceback where there is one.
      elapsed_s: for how long the evaluator ran.
      log: the end of what it wrote to standard output and standard error; see `search.launchers.written`.
    """

    state: TrialState
    metrics: dict[str, float]
    measurements: tuple[dict[str, float], ...] = ()
    reason: str = ""
    elapsed_s: float = 0.0
    log: str = ""


Measuring = Generator[dict[str, float], None, Evaluation]
"""Yields measurements as they come and returns the evaluation; close it to stop early."""


class Worker:
    """Evaluates in batches with `run`, or one assignment a measurement at a time with `begin` and `advance`.

    No more of a batch is begun once `batch_s` have passed, so that one slow candidate does not hold up many.
    """

    def __init__(
        self,
        recipe: WorkerRecipe,
        timeout_s: float | None = None,
        batch_s: float = math.inf,
        shared: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Make what the recipe says; its evaluator is given the arrays that the driver `shared`, if there are any."""
        self._space, self._evaluator = recipe()
        if shared and isinstance(self._evaluator, Shares):
            self._evaluator = self._evaluator.with_shared(shared)
        self._timeout_s, self._batch_s = timeout_s, batch_s
        self._measuring: Measuring | None = None
        self._written = Written()

    def where(self) -> str:
        """Return "host:pid"."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def run(self, assignments: Sequence[Assignment]) -> list[Evaluation]:
        """Return evaluations of the first assignments: of all, or of as many as were begun in time."""
        began = time.perf_counter()
        evaluations: list[Evaluation] = []
        self.close()
        with self._written.listening():
            for assigned in assignments:
                if evaluations and time.perf_counter() - began > self._batch_s:
                    break
                evaluations.append(self._logged(_whole(self._measure(assigned))))
        return evaluations

    def begin(self, assigned: Assignment) -> dict[str, float] | Evaluation:
        """Start an evaluation, dropping any other, and return its first measurement, or how it ended."""
        self.close()
        self._measuring = self._measure(assigned)
        return self.advance()

    def advance(self) -> dict[str, float] | Evaluation:
        """Return the next measurement of the evaluation at hand, or how it ended."""
        if self._measuring is None:
            raise RuntimeError("no evaluation was begun")
        try:
            with self._written.listening():
                return next(self._measuring)
        except StopIteration as end:
            self._measuring = None
            return self._logged(end.value)

    def close(self) -> None:
        """Stop the evaluation at hand, if there is one; its `finally` clauses run, and what it wrote is dropped."""
        measuring, self._measuring = self._measuring, None
        if measuring is not None:
            measuring.close()
        self._written.taken()

    def _measure(self, assigned: Assignment) -> Measuring:
        return measure(self._space, self._evaluator, assigned, self._timeout_s)

    def _logged(self, evaluation: Evaluation) -> Evaluation:
        """Return an evaluation that has just ended, with what it wrote."""
        log = self._written.taken()
        return replace(evaluation, log=log) if log else evaluation


def measure(
    space: GenotypeSpace, evaluator: Evaluator, assigned: Assignment, timeout_s: float | None = None
) -> Measuring:
    """Evaluate one assignment: yield its measurements, checked, and return what became of it.

    Whatever the evaluator raises becomes the evaluation's reason. A trial that is past `timeout_s` fails at its next
    measurement; one that never yields can only be ended from outside. Time between measurements in which the
    generator waits for its caller does not count.
    """
    task = Task(space, assigned.genotype, assigned.number, assigned.attempt, assigned.seed, assigned.known)
    metrics: dict[str, float] = {}
    began = time.perf_counter()
    state, reason = TrialState.COMPLETED, ""
    steps: Iterable[Any] = ()
    try:
        found = evaluator(task)
        steps = _steps(found)
        for step in steps:
            metrics.update(measured := _checked(step))
            if timeout_s is not None and time.perf_counter() - began > timeout_s:
                raise _TimeOut(time_out_reason(timeout_s))
            if steps is found:
                paused = time.perf_counter()
                yield measured
                began += time.perf_counter() - paused
        if not metrics:
            raise ValueError("the evaluator gave no metrics; expected a mapping of names to numbers, or yields of them")
    except Infeasible as error:
        state, reason = TrialState.INFEASIBLE, str(error) or "the evaluator says that it is infeasible"
    except _TimeOut as error:
        state, reason = TrialState.FAILED, str(error)
    except (Exception, SystemExit) as error:
        state, reason = TrialState.FAILED, failure_reason(error)
    finally:
        if isinstance(steps, Generator):
            _close(steps)
    return Evaluation(state, metrics, (), reason, time.perf_counter() - began)


def _close(steps: Generator[Any]) -> None:
    """End an evaluator where it stands; what it raises then concerns nobody's result."""
    try:
        steps.close()
    except Exception as error:
        log.warning("an evaluator failed while it was being stopped: %s", failure_reason(error))


class _TimeOut(Exception):  # noqa: N818 - never leaves this module
    """A trial is past its time."""


def time_out_reason(timeout_s: float) -> str:
    """Return what is told of a trial that was not done in time."""
    return f"time-out after {timeout_s:g} s"


def failure_reason(error: BaseException) -> str:
    """Return one line with the error's type and message, then the end of its traceback."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    trace = "".join(traceback.format_exception(error))
    return f"{line[:500]}\n{trace[-REASON_CHARACTERS:]}"


def _whole(measuring: Measuring) -> Evaluation:
    """Run an evaluation to its end and return it with its measurements."""
    measurements: list[dict[str, float]] = []
    while True:
        try:
            measurements.append(next(measuring))
        except StopIteration as end:
            ended: Evaluation = end.value
            break
    kept = tuple(measurements) if len(measurements) > 1 else ()
    return Evaluation(ended.state, ended.metrics, kept, ended.reason, ended.elapsed_s)


def _steps(found: Any) -> Iterable[Any]:
    """Return what an evaluator gave as something to iterate; a single mapping is its one step."""
    if isinstance(found, Mapping):
        return (found,)
    if isinstance(found, Iterable) and not isinstance(found, str | bytes):
        return found
    raise TypeError(f"the evaluator gave {type(found).__name__}; expected a mapping of metrics, or yields of them")


def _checked(step: Any) -> dict[str, float]:
    if not isinstance(step, Mapping):
        raise TypeError(f"the evaluator yielded {type(step).__name__}; expected a mapping of metric names to numbers")
    for name, value in step.items():
        if not isinstance(name, str):
            raise TypeError(f"metric name {name!r} is {type(name).__name__}; expected a string")
        if not isinstance(value, Real):
            raise TypeError(f"metric {name!r} is {type(value).__name__}; expected a number, e.g. float(value)")
    return {name: float(value) for name, value in step.items()}
