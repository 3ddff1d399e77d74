"""What every launcher is: it takes trials from a study, has them evaluated somewhere, and tells the study."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from search.launchers.worker import Assignment, Evaluation, WorkerRecipe
from search.trials import Outcome, Trial, TrialState

if TYPE_CHECKING:
    import numpy as np

    from search.launchers.preparing import PreparationEvent, PreparationRecipe
    from search.study import Study

Stop = Callable[[], str | None]
"""Says why the run has to end now ("interrupted", ...), or None."""

STOPPED = "stopped"
"""What a run that was asked to stop, by a row that somebody else wrote, says when it has."""

PROGRESS_INTERVAL_S = 0.25
PAUSE_S = 0.2
"""How often a run that waits looks whether it may go on: the study itself is asked once a second."""


class LauncherError(RuntimeError):
    """Evaluations cannot be run: no cluster, no such resources, workers that cannot start. Resume later."""


class Progress(Protocol):
    """Shows how a study is doing; called a few times a second at most."""

    def __call__(self, study: Study) -> None:
        """Show the study as it is now."""


def silent(study: Study) -> None:
    """Show nothing."""


class Launcher(ABC):
    """Runs a study's evaluations."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, study: Study, recipe: WorkerRecipe, stop: Stop, progress: Progress = silent) -> str:
        """Evaluate the study's trials until none are left or somebody stops it, and return why it ended.

        Returns "budget reached", "space exhausted", "stopped", or what `stop` said. While somebody wants a pause, no
        trial is begun: those that run finish, and the run waits. Trials that were cut short are put back, to be run by
        the next launch. Raises LauncherError where evaluations cannot be run at all.
        """

    @abstractmethod
    def prepare(self, recipes: Sequence[PreparationRecipe], stop: Stop) -> Iterator[PreparationEvent]:
        """Run preparations before a study's trials; yield each step and each end, and None when nothing happens.

        Ends when all have, or when `stop` says so: what is checkpointed is gone on with by the next launch. Closed, it
        ends what is still under way. Raises LauncherError where they cannot be run at all.
        """


class Watch:
    """Asks, no more often than is useful, whether a run is to end, and shows its progress."""

    def __init__(self, study: Study, stop: Stop, progress: Progress) -> None:
        self._study, self._stop, self._progress = study, stop, progress
        self._shown = -float("inf")
        self.stopped: str | None = None
        self.paused = False

    def look(self) -> str | None:
        """Return why the run is to end, or None; show progress if it was not shown for a while."""
        now = time.monotonic()
        self.stopped = self.stopped or self._stop()
        requested = self._study.requested()
        self.paused = requested == "pause"
        if now - self._shown >= PROGRESS_INTERVAL_S:
            self._shown = now
            self._progress(self._study)
        return self.stopped or (STOPPED if requested == "stop" else None)

    def wait(self) -> str | None:
        """Return what `look` does, once no pause is wanted any more, or the run is to end."""
        while (reason := self.look()) is None and self.paused:
            time.sleep(PAUSE_S)
        return reason

    def end(self, reason: str) -> str:
        """Show the final state and return `reason`."""
        self._progress(self._study)
        return reason


def assignment(trial: Trial) -> Assignment:
    """Return what a worker needs to know of a trial."""
    return Assignment(trial.genotype, trial.number, trial.attempt, trial.seed, trial.known)


def shared_arrays(recipe: WorkerRecipe) -> dict[str, np.ndarray]:
    """Return what workers of this recipe should hold alike: what its `shared()` loads, nothing where it has none.

    The recipe is asked and not called: what it makes may be possible in a worker only.
    """
    shared: Callable[[], Mapping[str, np.ndarray]] = getattr(recipe, "shared", dict)
    return dict(shared())


def tell(study: Study, evaluated: Sequence[tuple[Trial, Evaluation]], worker: str) -> None:
    """Tell the study what became of trials, in one transaction; what was measured on the way is reported before."""
    for trial, evaluation in evaluated:
        for step, measured in enumerate(evaluation.measurements[:-1]):
            study.report(trial, measured, step)
    study.tell_many([
        Outcome(trial, ended.metrics, ended.state, ended.reason, ended.elapsed_s, worker, ended.log)
        for trial, ended in evaluated
    ])  # fmt: skip


def tell_stopped(study: Study, trial: Trial, metrics: Mapping[str, float], worker: str, elapsed_s: float) -> None:
    """Tell the study of a trial that it asked to be stopped; one that breaks a constraint becomes INFEASIBLE there."""
    reason = "stopped early, after a measurement"
    study.tell(trial, metrics, state=TrialState.STOPPED, reason=reason, elapsed_s=elapsed_s, worker=worker)


def used_up(study: Study) -> str:
    """Return why the study has no more trials to give."""
    return "space exhausted" if study.exhausted else "budget reached"
