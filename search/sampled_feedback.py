"""The feedback on one trial of a sampling, as PyGlove's programs know it."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import pyglove as pg

from search.algorithms._dna_notes import dna_of
from search.objectives import check_metric_name
from search.sampled_trials import value_of, value_text
from search.shared_results import Reported
from search.trials import Trial, TrialState

if TYPE_CHECKING:
    from search.backend import SqlBackend
    from search.trial_leases import Worker

log = logging.getLogger(__name__)


class SampledFeedback(pg.tuning.Feedback):  # type: ignore[misc]
    """The feedback on one trial, shared with all who work on it."""

    def __init__(self, backend: SqlBackend, worker: Worker, trial: Trial, note: str) -> None:
        """Take a trial that `worker` has taken."""
        super().__init__(backend.metrics)
        self._backend = backend
        self._study = backend.study
        self._worker = worker
        self._trial = trial
        self._dna = dna_of(backend.space, trial.genotype, note)

    @property
    def id(self) -> int:
        """The trial's number, from 1."""
        return self._trial.number + 1

    @property
    def dna(self) -> pg.DNA:
        """The trial's DNA."""
        return self._dna

    @property
    def checkpoint_to_warm_start_from(self) -> str | None:
        """The last checkpoint of this very trial, where an earlier worker died; None if there is none."""
        paths = [measured.checkpoint_path for measured in self.get_trial().measurements]
        return next((path for path in reversed(paths) if path is not None), None)

    @property
    def status(self) -> str:
        """PENDING or COMPLETED."""
        return str(self.get_trial().status)

    def get_trial(self) -> pg.tuning.Trial:
        """Return the trial as it is stored now."""
        return self._backend.trials.read(self._trial.number)[0]

    def set_metadata(self, key: str, value: Any, per_trial: bool = True) -> None:
        """Keep a plain value by name, with the trial or with the whole sampling. Raises ValueError for objects."""
        self._study.annotations.set_metadata({key: value_text(value)}, self._trial.number if per_trial else None)

    def get_metadata(self, key: str, per_trial: bool = True) -> Any | None:
        """Return what anybody has kept by that name, or None."""
        text = self._study.annotations.metadata(self._trial.number if per_trial else None).get(key)
        return None if text is None else value_of(text)

    def add_link(self, name: str, url: str) -> None:
        """Keep a link with the trial."""
        self._study.annotations.set_links(self._trial.number, {name: url})

    def _add_measurement(
        self,
        reward: float | None,
        metrics: dict[str, float],
        step: int,
        checkpoint_path: str | None,
        elapse_secs: float,
    ) -> None:
        """Keep a measurement. One that is not finite ends the trial as failed, with the reason; the search goes on."""
        values = {check_metric_name(name): value for name, value in metrics.items()}
        if reward is not None and "reward" in self._backend.metrics:
            values["reward"] = reward
        bad = {name: value for name, value in values.items() if not math.isfinite(value)}
        if bad:
            log.warning("trial %d has failed: it measured %s", self.id, bad)
        reported = Reported(self._trial, values, step, elapse_secs, checkpoint_path)
        if not self._study.report(reported):
            raise pg.tuning.RaceConditionError(
                f"trial {self.id} has ended, or was given to another worker: measurements are for pending trials"
            )

    def done(self, metadata: dict[str, Any] | None = None, related_links: dict[str, str] | None = None) -> None:
        """End the trial with its measurement at the largest step; does nothing if it has ended already."""
        trial = self.get_trial()
        self._study.annotations.set_metadata(
            {name: value_text(value) for name, value in (metadata or {}).items()}, self._trial.number
        )
        self._study.annotations.set_links(self._trial.number, related_links or {})
        if trial.status != "PENDING":
            return
        if not trial.measurements:
            raise ValueError(f"trial {self.id} has no measurement: expected at least one before it is done")
        last = trial.measurements[-1]
        values = dict(last.metrics) | ({"reward": last.reward} if "reward" in self._backend.metrics else {})
        self._tell(values, TrialState.COMPLETED, "", last.elapse_secs)

    def skip(self, reason: str | None = None) -> None:
        """End the trial without a result; does nothing if it has ended already."""
        self._tell({}, TrialState.STOPPED, reason or "skipped", None)

    def _tell(self, values: dict[str, float], state: TrialState, reason: str, elapsed_s: float | None) -> None:
        accepted = self._study.tell(
            self._trial, values, state=state, reason=reason, elapsed_s=elapsed_s, worker=self._worker.name
        )
        if not accepted:
            log.warning("trial %d had ended before, or was given to another worker: this result is dropped", self.id)

    def should_stop_early(self) -> bool:
        """Whether the policy says so, or the trial has ended already, e.g. because it breaks a constraint."""
        trial = self.get_trial()
        if trial.status != "PENDING":
            return True
        return bool(trial.measurements) and self._backend.should_stop_early(trial)

    def end_loop(self) -> None:
        """Let every worker of every process leave the loop after its trial."""
        self._study.end_loop()
