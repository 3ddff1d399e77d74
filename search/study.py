"""A study: proposes trials, takes in what came of them, and keeps every step in the database."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import sqlalchemy as sa

from search.attempt import Attempt, new_attempt
from search.errors import LeaseLost, StorageError
from search.front import Front
from search.history import Unfinished, bring_back, read_history, results_of
from search.leases import Lease
from search.ledger import Ledger
from search.objectives import Constraint, Objective
from search.problem import problem_of
from search.schema import progress
from search.storage import Storage
from search.study_row import open_row, study_row
from search.study_view import StudyView
from search.trials import Outcome, Trial, TrialState
from search.verdict import broken, judge, numbers_of

if TYPE_CHECKING:
    from search.algorithms._base import Algorithm
    from search.algorithms._learned import LogProbabilities
    from search.known_metrics import KnownMetrics
    from spaces.genotype import GenotypeSpace

REQUEST_EVERY_S = 1.0
RETRIES = 2


class Study(StudyView):
    """The one driver of a study. May be used from several threads.

    A call sequence:

        study = Study.create_or_resume(storage, "name", space, algorithm, objectives, constraints, max_trials=1000)
        while trials := study.ask(1):
            study.tell(trials[0], {"accuracy": evaluate(trials[0].genotype)})
        study.finish("budget reached")
        study.close()

    Every method that writes raises LeaseLost when another driver has taken over, and StorageUnavailable when the
    database stays away. The study cannot go on after an error: open it again, it resumes with what is stored.
    """

    @classmethod
    def create_or_resume(  # noqa: PLR0917 - the six nouns of a study
        cls,
        storage: Storage,
        name: str,
        space: GenotypeSpace,
        algorithm: Algorithm,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        *,
        max_trials: int,
        seed: int = 0,
        known: KnownMetrics | None = None,
        settings: Mapping[str, Any] | None = None,
        retries: int = RETRIES,
        distributions: Sequence[LogProbabilities] = (),
    ) -> Self:
        """Return the study of that name, made if it is new, else resumed where its last driver ended.

        A resumed study takes over `max_trials`, `retries`, `settings` (added to the stored ones) and the algorithm;
        one with other settings than before starts afresh, from the trials that there are.

        Args:
          storage: where it is kept.
          name: letters, digits and . _ - , at most 128.
          space: must be what the stored study was made with.
          algorithm: not started yet.
          objectives, constraints, seed: likewise.
          max_trials: how many trials there may be, those before a resumption included.
          known: metrics that need no evaluation.
          settings: plain JSON values that others may want to know.
          retries: how often a trial may lose its worker and be run again.
          distributions: what preparations have learnt.

        Raises:
          ValueError: an argument is out of its bounds, or the algorithm refuses the problem; nothing is stored then.
          SpaceChanged, StudyChanged: not what is stored. StudyLocked: another driver holds the study.
        """
        row = study_row(
            name, space, algorithm.settings, objectives, constraints, max_trials, seed, retries, settings or {}
        )
        asked: dict[str, Any] = {"seed": seed, "budget": max_trials, "known": known, "distributions": distributions}
        algorithm.start(problem_of(space, objectives, constraints, **asked))  # what it refuses is not stored
        lease = Lease(storage.database, name)
        open_row(storage.database, row, lease)
        try:
            return cls(storage, name, space, algorithm, known, lease)
        except BaseException:
            lease.release()
            raise

    @classmethod
    def open(cls, storage: Storage, name: str) -> StudyView:
        """Return a view of a stored study that takes no lease and changes nothing. Raises StudyNotFound."""
        return StudyView(storage, name)

    def __init__(  # noqa: PLR0917 - called by `create_or_resume` alone
        self,
        storage: Storage,
        name: str,
        space: GenotypeSpace,
        algorithm: Algorithm,
        known: KnownMetrics | None,
        lease: Lease,
    ) -> None:
        """Go on with the stored study whose lease is held; see `create_or_resume`."""
        super().__init__(storage, name)
        self._budget = super().max_trials
        self._known = known
        self._algorithm = algorithm
        self._lease = lease
        self._lock = threading.RLock()
        self._failure: BaseException | None = None
        self._asked_at = -float("inf")
        self._ledger = Ledger(self._database, self.id, lease)
        self._resume(space)
        lease.keep()

    def _resume(self, space: GenotypeSpace) -> None:
        """Bring the algorithm, the front and the queue of unfinished trials to where the last driver left them."""
        with self._database.read() as connection:
            past = read_history(connection, self.id, self.objectives, self.constraints, space.width, space.dtype)
        bring_back(self._algorithm, self._ledger.algorithm_state, past, past.results, f"study {self.name!r}")
        self._proposed = len(past.genotypes)
        self._told = len(past.results.genotypes)
        self._front = Front(past.front, past.front_scores)
        self._running: dict[int, Attempt] = {}
        self._waiting = deque(self._again(item, past.genotypes[item.number]) for item in past.unfinished)

    def _again(self, item: Unfinished, genotype: np.ndarray) -> Attempt:
        trial = Trial(item.number, item.attempt, genotype, item.seed, self._known_of(genotype[None])[0])
        return Attempt(trial, item.losses, item.measured, state=TrialState(item.state))

    @property
    def max_trials(self) -> int:
        """The number of trials after which the study ends."""
        return self._budget

    @property
    def exhausted(self) -> bool:
        """Whether `ask` gives fewer trials than it might because the space has no more, rather than the budget."""
        return self._proposed < self._budget and self._algorithm.exhausted

    @property
    def remark(self) -> str:
        """What the algorithm has to say of what it does with the study; "" for nothing."""
        return self._algorithm.remark

    def counts(self) -> dict[TrialState, int]:
        """Return how many trials are in each state."""
        return {state: self._ledger.counts[state] for state in TrialState}

    def ask(self, n: int) -> list[Trial]:
        """Return up to `n` trials to run: those left unfinished first, then new ones.

        Fewer, or none, when the budget or the space is used up. A killed process loses none of them; a power cut at
        worst those of which nothing has been told or reported since, and they are proposed again.
        Raises ValueError for n < 1.
        """
        if n < 1:
            raise ValueError(f"ask needs n of at least 1, got {n}")
        with self._writing():
            again = [self._waiting.popleft() for _ in range(min(n, len(self._waiting)))]
            started = [attempt.started() for attempt in again]
            fresh = self._propose(min(n - len(again), self._budget - self._proposed))
            if started or fresh:
                rows = [attempt.start_row() for attempt in again]
                self._ledger.ask(rows, [attempt.new_row() for attempt in fresh], self._algorithm.state())
            self._running.update((attempt.trial.number, attempt) for attempt in (*started, *fresh))
            return [attempt.trial for attempt in (*started, *fresh)]

    def report(self, trial: Trial, metrics: Mapping[str, float], step: int) -> bool:
        """Keep what a running trial has measured at `step`; return whether it has to be stopped and told now.

        That is so when a constraint that holds at any time is broken, a value is not a finite number, or the trial is
        no longer this attempt's: `tell` knows.
        """
        if step < 0:
            raise ValueError(f"step is {step}: expected 0 for the first measurement, then 1, 2, ...")
        with self._writing():
            attempt = self._current(trial)
            if attempt is None:
                return True
            values, wrong = numbers_of(metrics)
            if values:
                self._ledger.measure(trial.number, step, values)
            attempt.measured.update(values)
            violation = broken(self.constraints, attempt.measured, at_once=True)
            if wrong:
                attempt.verdict = (TrialState.FAILED, wrong)
            elif violation:
                attempt.verdict = (TrialState.INFEASIBLE, violation)
            return attempt.verdict is not None

    def tell(
        self,
        trial: Trial,
        metrics: Mapping[str, float],
        *,
        state: TrialState = TrialState.COMPLETED,
        reason: str = "",
        elapsed_s: float | None = None,
        worker: str = "",
    ) -> bool:
        """Keep what came of a trial; return whether it was accepted: once, and only from its current attempt.

        A trial's final metrics are the known ones, then what was reported, then `metrics`, the later replacing the
        earlier. One told COMPLETED is FAILED if an objective or a constrained metric is missing or not a finite number,
        and INFEASIBLE if it breaks a constraint; the reason says so.
        """
        return self.tell_many([Outcome(trial, metrics, state, reason, elapsed_s, worker)])[0]

    def tell_many(self, outcomes: Iterable[Outcome | tuple[Any, ...]]) -> list[bool]:
        """Keep what came of several trials in one transaction; return for each whether it was accepted, see `tell`."""
        with self._writing():
            accepted: list[bool] = []
            taken: list[tuple[Outcome, Attempt]] = []
            for outcome in (Outcome(*outcome) for outcome in outcomes):
                attempt = self._current(outcome.trial)
                accepted.append(attempt is not None)
                if attempt is not None:
                    taken.append((outcome, self._running.pop(outcome.trial.number)))
            if taken:
                self._record(taken)
            return accepted

    def requeue(self, trial: Trial, reason: str) -> bool:
        """Run a trial again whose worker was lost; return whether it will be: after too many losses it has FAILED."""
        with self._writing():
            attempt = self._current(trial)
            if attempt is None:
                return False
            losses = attempt.losses + 1
            if losses > self.retries:
                reason = f"{reason} (the worker was lost {losses} times)"
                return not self.tell(trial, {}, state=TrialState.FAILED, reason=reason)
            self._put_back([attempt], reason, losses)
            return True

    def put_back(self, trials: Iterable[Trial], reason: str) -> None:
        """Have trials run again, by this driver or the next, that were given up through no fault of their own."""
        with self._writing():
            attempts = [attempt for trial in trials if (attempt := self._current(trial)) is not None]
            if attempts:
                self._put_back(attempts, reason)

    def skip(self, trial: Trial, reason: str) -> bool:
        """End a trial without a result: it is STOPPED; return whether it was accepted."""
        return self.tell(trial, {}, state=TrialState.STOPPED, reason=reason)

    def annotate(self, number: int, metrics: Mapping[str, float]) -> None:
        """Keep metrics of a finished trial that were found afterwards; those of the same names are replaced.

        Raises ValueError for values that are not finite numbers, and for metrics that the trial was judged by.
        """
        values, wrong = numbers_of(metrics)
        judged = {objective.metric for objective in self.objectives} | {bound.metric for bound in self.constraints}
        if wrong or judged.intersection(values) or not 0 <= number < self._proposed or number in self._running:
            raise ValueError(wrong or f"trial {number} cannot be given {', '.join(metrics)}: expected a finished trial "
                             f"and metrics other than its objectives and constraints")  # fmt: skip
        if values:
            with self._writing():
                self._ledger.annotate(number, values)

    def finish(self, reason: str) -> None:
        """Say why the study ends here, e.g. `budget reached`; trials that still run are put back."""
        with self._writing():
            attempts = list(self._running.values())
            if attempts:
                self._put_back(attempts, reason)
            self._ledger.end(reason)

    def requested(self) -> str | None:
        """Return `pause` or `stop` if somebody wants it (`Storage.request`), else None; looks once a second."""
        if time.monotonic() - self._asked_at >= REQUEST_EVERY_S:
            self._asked_at = time.monotonic()
            query = sa.select(progress.c.request).where(progress.c.study_id == self.id)
            with self._database.read() as connection:
                self._request: str | None = connection.scalar(query)
        return self._request

    def close(self) -> None:
        """Release the lease and the connection. The study stays as it is and can be resumed.

        After the database has failed, the lease may stay behind; it goes stale with this process, or by itself.
        """
        self._ledger.close()
        try:
            self._lease.release()
        except StorageError:
            if self._failure is None:
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let one thread in; after an error, what is in memory may not be what is stored: then nobody again."""
        with self._lock:
            if self._failure is not None:
                if isinstance(self._failure, LeaseLost):
                    raise self._failure
                raise RuntimeError(
                    f"study {self.name!r} had an error ({self._failure}); open it again to go on"
                ) from self._failure
            try:
                yield
            except BaseException as error:
                self._failure = error
                raise

    def _current(self, trial: Trial) -> Attempt | None:
        attempt = self._running.get(trial.number)
        return attempt if attempt is not None and attempt.trial.attempt == trial.attempt else None

    def _propose(self, count: int) -> list[Attempt]:
        if count < 1:
            return []
        genotypes = self._algorithm.propose(count)
        rows = zip(genotypes, self._known_of(genotypes), self._algorithm.notes(genotypes), strict=True)
        first, self._proposed = self._proposed, self._proposed + len(genotypes)
        return [new_attempt(self.seed, first + index, *row) for index, row in enumerate(rows)]

    def _known_of(self, genotypes: np.ndarray) -> list[dict[str, float]]:
        if self._known is None:
            return [{} for _ in genotypes]
        names = self._known.names
        return [dict(zip(names, values, strict=True)) for values in self._known(genotypes).tolist()]

    def _record(self, taken: Sequence[tuple[Outcome, Attempt]]) -> None:
        """Judge outcomes, let the algorithm and the front learn of them, and write it all."""
        verdicts = [self._judge(outcome, attempt) for outcome, attempt in taken]
        genotypes = np.array([attempt.trial.genotype for _, attempt in taken])
        states, metrics = [state for state, *_ in verdicts], [values for *_, values in verdicts]
        results = results_of(self.objectives, self.constraints, genotypes, states, metrics)
        self._algorithm.learn(results)
        rows, moved = [], False
        for index, ((outcome, attempt), (state, reason, _)) in enumerate(zip(taken, verdicts, strict=True)):
            rows.append(attempt.finish_row(outcome, state, reason, self._told + index))
            if state is TrialState.COMPLETED:
                moved |= self._front.add(outcome.trial.number, results.scores[index].tolist())
        values = [
            {"number": outcome.trial.number, "name": name, "value": value}
            for (outcome, _), found in zip(taken, metrics, strict=True)
            for name, value in found.items()
        ]
        self._told += len(taken)
        joined, left = self._front.changes() if moved else ([], [])
        learnt = self._algorithm.state() if self._algorithm.learning_changes_state else None
        logs = [{"number": outcome.trial.number, "log": outcome.log} for outcome, _ in taken if outcome.log]
        self._ledger.tell(rows, values, joined, left, learnt, logs)

    def _judge(self, outcome: Outcome, attempt: Attempt) -> tuple[TrialState, str, dict[str, float]]:
        values, wrong = numbers_of(outcome.metrics)
        metrics = {**attempt.trial.known, **attempt.measured, **values}
        if attempt.verdict is not None:
            return *attempt.verdict, metrics
        if outcome.state is not TrialState.COMPLETED:
            return TrialState(outcome.state), outcome.reason, metrics
        if wrong:
            return TrialState.FAILED, wrong, metrics
        return *judge(self.objectives, self.constraints, metrics), metrics

    def _put_back(self, attempts: Sequence[Attempt], reason: str, losses: int | None = None) -> None:
        """Write trials as PENDING, and queue them before those that wait already."""
        for attempt in attempts:
            attempt.losses = attempt.losses if losses is None else losses
            attempt.state, attempt.verdict = TrialState.PENDING, None
            del self._running[attempt.trial.number]
        self._ledger.put_back([attempt.waiting_row(reason) for attempt in attempts])
        self._waiting.extendleft(reversed(attempts))
