"""The serial launcher: one trial after another in this process, which makes a study repeatable row for row."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from search.launchers._base import (
    Launcher,
    LauncherError,
    Progress,
    Stop,
    Watch,
    assignment,
    silent,
    tell,
    tell_stopped,
    used_up,
)
from search.launchers.preparing import PreparationEvent, PreparationRecipe, prepare_here
from search.launchers.worker import Evaluation, Worker, WorkerRecipe, failure_reason
from search.trials import Trial

if TYPE_CHECKING:
    from search.study import Study


@dataclass
class SerialLauncher(Launcher):
    """Asks for one trial, evaluates it here, tells, and asks for the next.

    `timeout_s` is looked at whenever an evaluator yields; one that never does cannot be interrupted in its own process.
    """

    name: ClassVar[str] = "serial"

    timeout_s: float | None = None

    def run(self, study: Study, recipe: WorkerRecipe, stop: Stop, progress: Progress = silent) -> str:
        """Evaluate the study's trials one by one; see `Launcher.run`. A trial that is cut short is put back."""
        try:
            worker = Worker(recipe, self.timeout_s)
        except Exception as error:
            raise LauncherError(f"the evaluator cannot be made: {failure_reason(error)}") from error
        watch = Watch(study, stop, progress)
        with contextlib.closing(worker):
            while True:
                ended = watch.wait()
                if ended is None and (trials := study.ask(1)):
                    _evaluate(study, worker, trials[0], watch)
                    continue
                return watch.end(ended or used_up(study))

    def prepare(self, recipes: Sequence[PreparationRecipe], stop: Stop) -> Iterator[PreparationEvent]:
        """Run preparations one after the other; see `Launcher.prepare`. The first that fails ends the others."""
        return prepare_here(recipes, stop)


def _evaluate(study: Study, worker: Worker, trial: Trial, watch: Watch) -> None:
    """Evaluate one trial, reporting each measurement before the next is made."""
    began, metrics, step = time.perf_counter(), dict[str, float](), 0
    answer = worker.begin(assignment(trial))
    while not isinstance(answer, Evaluation):
        metrics.update(answer)
        if study.report(trial, answer, step):
            worker.close()
            tell_stopped(study, trial, metrics, worker.where(), time.perf_counter() - began)
            return
        if watch.look() and watch.stopped:
            worker.close()
            study.put_back([trial], watch.stopped)
            return
        answer, step = worker.advance(), step + 1
    tell(study, [(trial, answer)], worker.where())
