"""A study that several processes work on side by side: each takes a trial, and tells what came of it."""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import sqlalchemy as sa

from search.algorithms._base import Problem
from search.annotations import Annotations
from search.attempt import trial_seed
from search.errors import StudyChanged, StudyLocked, StudyNotFound
from search.genotype_text import genotypes_of, text_of
from search.leases import holder_age_s, this_process
from search.objectives import Constraint, Objective
from search.schema import progress, studies, trials
from search.shared_algorithm import SharedAlgorithm
from search.shared_results import Reported, keep_measurement, keep_result
from search.study_row import LARGEST_TRIALS, check_number, open_row, study_row
from search.study_view import StudyView
from search.trial_leases import Keeper, Teams, Worker, drop_leases, read_teams, take_lease
from search.trials import FINISHED, UNFINISHED, Trial, TrialState
from search.verdict import broken, judge, numbers_of

if TYPE_CHECKING:
    from search.algorithms._base import Algorithm
    from search.database import Database
    from search.storage import Storage
    from spaces.genotype import GenotypeSpace

Given = TypeVar("Given")

RETRIES = 2
PARTS = count()
"""Tells the parts that one process takes in shared studies, one after another."""
LOOP_ENDED = "loop ended"
BUDGET = "budget reached"
EXHAUSTED = "space exhausted"


@dataclass(slots=True)
class Standing:
    """How a study stands within a transaction that holds its row, and what the transaction changes in it."""

    row: sa.RowMapping
    counts: Counter[str]
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        """The number that marks what this transaction changes."""
        return int(self.row["change_seq"]) + 1

    @property
    def told(self) -> int:
        """How many trials have ended."""
        return sum(self.counts[state] for state in FINISHED)

    def move(self, old: str | None, new: str) -> None:
        """Count a trial in another state than before."""
        if old is not None:
            self.counts[old] -= 1
        self.counts[new] += 1
        self.changes |= {state.lower(): self.counts[state] for state in TrialState}


class SharedStudy(StudyView):
    """One process's part in a shared study. May be used from several threads.

    The lease is a trial's, not the study's: a trial whose workers have all died is run again by the next worker that
    asks, at most `retries` times. A result is accepted once, from the trial's current attempt. A study that is driven
    by `Study` cannot be shared at the same time.
    """

    @classmethod
    def create_or_join(  # noqa: PLR0917 - the six nouns of a study
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
        settings: Mapping[str, Any] | None = None,
        retries: int = RETRIES,
    ) -> Self:
        """Return the study of that name, made if it is new; for the arguments see `Study.create_or_resume`.

        Raises:
          ValueError: an argument is out of its bounds; SpaceChanged, StudyChanged: not what is stored.
          StudyLocked: a driver holds the study.
        """
        row = study_row(
            name, space, algorithm.settings, objectives, constraints, max_trials, seed, retries, settings or {}
        )
        problem = Problem(space, len(objectives), seed, budget=max_trials)
        shared = SharedAlgorithm(algorithm, problem, objectives, constraints)
        open_row(storage.database, row, _Joining(storage.database, row))
        return cls(storage, name, space, shared)

    def __init__(self, storage: Storage, name: str, space: GenotypeSpace, algorithm: SharedAlgorithm) -> None:
        """Take part in a stored study; see `create_or_join`."""
        super().__init__(storage, name)
        self.annotations = Annotations(self._database, self.id)
        self._space = space
        self._algorithm = algorithm
        self._me = this_process()
        self._prefix = f"{self._me.host}:{self._me.pid}:{self._me.pid_started}:{next(PARTS)}:"
        self._lock = threading.RLock()
        self._keeper = Keeper(self._database, self.id, self._prefix)
        self._end = weakref.finalize(self, self._keeper.stop)

    def worker(self, team: str | None = None) -> Worker:
        """Return the calling thread as a worker, of a team if it shares its trials."""
        name = f"{self._prefix}{threading.get_ident()}"
        return Worker(name, name if team is None else f"team {team}", self._me)

    def take(self, worker: Worker) -> tuple[Trial, str] | None:
        """Return the trial that a worker is to work on, and the algorithm's note on it; None when the loop is over.

        That is: the one that its team is at; else one that was left by workers who died; else a new one.
        """
        taken, proposed = self._write(lambda connection, standing: self._take(connection, standing, worker))
        if proposed:
            self._algorithm.committed()
        return taken

    def report(self, reported: Reported) -> bool:
        """Keep what a trial has measured; return whether it was accepted: only while the trial runs, as this attempt.

        A value that is not a finite number ends the trial as FAILED, a broken constraint that holds at any time as
        INFEASIBLE.
        """
        values, wrong = numbers_of(reported.metrics)

        def work(connection: sa.Connection, standing: Standing) -> bool:
            if not self._is_current(connection, reported.trial):
                return False
            measured = keep_measurement(connection, self.id, reported, values)
            standing.changes.setdefault("updated_at", time.time())
            violation = broken(self.constraints, measured, at_once=True)
            if wrong or violation:
                state = TrialState.FAILED if wrong else TrialState.INFEASIBLE
                self._finish(connection, standing, reported.trial, state, wrong or violation, measured, None, "")
            return True

        return self._write(work)

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
        """Keep what came of a trial, judged as in `Study.tell`; return whether it was accepted."""
        values, wrong = numbers_of(metrics)
        if state is TrialState.COMPLETED:
            state, reason = (TrialState.FAILED, wrong) if wrong else judge(self.objectives, self.constraints, values)

        def work(connection: sa.Connection, standing: Standing) -> bool:
            if not self._is_current(connection, trial):
                return False
            self._finish(connection, standing, trial, state, reason, values, elapsed_s, worker)
            return True

        return self._write(work)

    def extend(self, max_trials: int) -> None:
        """Change how many trials there may be; a study that had ended for want of them goes on."""
        check_number("max_trials", max_trials, 1, LARGEST_TRIALS)

        def work(connection: sa.Connection, standing: Standing) -> None:
            connection.execute(sa.update(studies).where(studies.c.id == self.id).values(max_trials=max_trials))
            if standing.row["reason"] == BUDGET and standing.told < max_trials:
                standing.changes |= {"state": "running", "reason": ""}

        self._write(work)

    def end_loop(self) -> None:
        """Let no worker take another trial, now or later."""

        def work(_connection: sa.Connection, standing: Standing) -> None:
            standing.changes |= {"loop_ended_at": time.time(), "state": "ended", "reason": LOOP_ENDED}

        self._write(work)

    def close(self) -> None:
        """Give back the trials that this process is at."""
        self._end()
        self._keeper.join()

    def _write(self, work: Callable[[sa.Connection, Standing], Given]) -> Given:
        """Return what `work` returns, run in a transaction that holds the study's row."""

        def transaction(connection: sa.Connection) -> Given:
            query = sa.select(progress, self._database.now.label("now")).where(progress.c.study_id == self.id)
            row = connection.execute(query.with_for_update(of=progress)).mappings().one_or_none()
            if row is None:
                raise StudyNotFound(f"study {self.name!r} is no longer in {self._database.label}")
            _refuse_driver(row, self.name)
            standing = Standing(row, Counter({state: row[state.lower()] for state in TrialState}))
            given = work(connection, standing)
            if standing.changes:
                stamp = {"change_seq": standing.sequence, "updated_at": time.time(), "shared_at": self._database.now}
                changed = sa.update(progress).where(progress.c.study_id == self.id)
                connection.execute(changed.values(**{**stamp, **standing.changes}))
            return given

        with self._lock:
            return self._database.write(transaction)

    def _take(
        self, connection: sa.Connection, standing: Standing, worker: Worker
    ) -> tuple[tuple[Trial, str] | None, bool]:
        row = standing.row
        if row["loop_ended_at"] is not None:
            standing.changes |= {"state": "ended", "reason": LOOP_ENDED}
        if row["loop_ended_at"] is not None or row["request"] is not None:
            return None, False
        teams = read_teams(connection, self.id, row["now"], self._me)
        joined = [number for number, team in teams.living.items() if team == worker.team]
        found = self._stored(connection, joined[0]) if joined else self._left(connection, standing, teams, worker)
        proposed = found is None and sum(standing.counts.values()) < self._budget(connection)
        if proposed:
            found = self._propose(connection, standing)
        elif found is None:
            standing.changes["reason"] = BUDGET
            self._end_if_done(standing)
        if found is not None:
            take_lease(connection, self._database, self.id, found[0].number, worker)
        return found, proposed and found is not None

    def _left(
        self, connection: sa.Connection, standing: Standing, teams: Teams, worker: Worker
    ) -> tuple[Trial, str] | None:
        """Return a trial that nobody is at, begun again: the worker's own first; None where there is none."""
        if standing.counts[TrialState.RUNNING] + standing.counts[TrialState.PENDING] == len(teams.living):
            return None
        columns = (trials.c.number, trials.c.state, trials.c.attempt, trials.c.losses)
        query = sa.select(*columns).where(trials.c.study_id == self.id, trials.c.state.in_(UNFINISHED))
        rows = [row for row in connection.execute(query).all() if row.number not in teams.living]
        for row in sorted(rows, key=lambda row: (teams.lost.get(row.number) != worker.team, row.number)):
            died = row.state == TrialState.RUNNING and row.number not in teams.left
            losses = row.losses + died
            if losses > self.retries:
                trial, _ = self._stored(connection, row.number)
                reason = f"its worker died (the worker was lost {losses} times)"
                self._finish(connection, standing, trial, TrialState.FAILED, reason, {}, None, "")
                continue
            self._begin_again(connection, standing, row, losses)
            return self._stored(connection, row.number)
        return None

    def _begin_again(self, connection: sa.Connection, standing: Standing, row: Any, losses: int) -> None:
        drop_leases(connection, self.id, row.number)
        this = (trials.c.study_id == self.id, trials.c.number == row.number)
        values = {"state": TrialState.RUNNING, "attempt": row.attempt + 1, "losses": losses, "started_at": time.time()}
        connection.execute(sa.update(trials).where(*this).values(change_seq=standing.sequence, **values))
        standing.move(row.state, TrialState.RUNNING)

    def _propose(self, connection: sa.Connection, standing: Standing) -> tuple[Trial, str] | None:
        number = sum(standing.counts.values())
        given = self._algorithm.propose(connection, standing.row, number, standing.told)
        if given is None:
            standing.changes["reason"] = EXHAUSTED
            self._end_if_done(standing)
            return None
        genotype, note, changes = given
        standing.changes |= changes
        standing.move(None, TrialState.RUNNING)
        trial = Trial(number, 1, genotype, trial_seed(self.seed, number), {})
        now = time.time()
        row = {"study_id": self.id, "number": number, "state": TrialState.RUNNING, "attempt": 1, "losses": 0}
        row |= {"seed": trial.seed, "change_seq": standing.sequence, "created_at": now, "started_at": now}
        row |= {"worker": "", "reason": "", "genotype": text_of(genotype), "note": note or None}
        connection.execute(trials.insert().values(**row))
        return trial, note

    def _stored(self, connection: sa.Connection, number: int) -> tuple[Trial, str]:
        columns = (trials.c.attempt, trials.c.genotype, trials.c.seed, trials.c.note)
        query = sa.select(*columns).where(trials.c.study_id == self.id, trials.c.number == number)
        row = connection.execute(query).one()
        genotype: np.ndarray = genotypes_of([row.genotype], self._space.width, self._space.dtype)[0]
        return Trial(number, row.attempt, genotype, row.seed, {}), row.note or ""

    def _is_current(self, connection: sa.Connection, trial: Trial) -> bool:
        this = (trials.c.study_id == self.id, trials.c.number == trial.number, trials.c.attempt == trial.attempt)
        return connection.scalar(sa.select(trials.c.state).where(*this)) == TrialState.RUNNING

    def _finish(  # noqa: PLR0917 - what came of a trial
        self,
        connection: sa.Connection,
        standing: Standing,
        trial: Trial,
        state: TrialState,
        reason: str,
        values: Mapping[str, float],
        elapsed_s: float | None,
        worker: str,
    ) -> None:
        """End a running or abandoned trial, whose row is known to be this attempt's."""
        ended = {"state": state, "reason": reason, "told": standing.told, "elapsed_s": elapsed_s, "worker": worker}
        ended |= {"finished_at": time.time(), "change_seq": standing.sequence}
        was = keep_result(connection, self.id, trial, ended, values, self.objectives)
        drop_leases(connection, self.id, trial.number)
        standing.move(was, state)
        if standing.told == self._budget(connection):
            standing.changes["reason"] = BUDGET
        self._end_if_done(standing)

    def _end_if_done(self, standing: Standing) -> None:
        """Say that the study has ended, once there is no more to propose and nobody is at a trial."""
        reason = standing.changes.get("reason", standing.row["reason"])
        running = standing.counts[TrialState.RUNNING] + standing.counts[TrialState.PENDING]
        if reason in (BUDGET, EXHAUSTED) and not running:
            standing.changes |= {"state": "ended", "reason": reason}

    def _budget(self, connection: sa.Connection) -> int:
        return int(connection.scalar(sa.select(studies.c.max_trials).where(studies.c.id == self.id)) or 0)


def _refuse_driver(row: sa.RowMapping, name: str) -> None:
    age_s = holder_age_s(row, row["now"], this_process())
    if age_s is not None:
        raise StudyLocked(name, row["lease_host"], row["lease_pid"], age_s)


class _Joining:
    """Stands where a driver takes its lease: looks whether one may join instead."""

    def __init__(self, database: Database, row: Mapping[str, Any]) -> None:
        self._database = database
        self._row = row

    def take(self, connection: sa.Connection, study_id: int) -> None:
        """Raise StudyLocked where a driver holds the study, StudyChanged where others share it with other settings."""
        query = sa.select(progress, self._database.now.label("now"), studies.c.algorithm)
        query = query.join(studies, studies.c.id == progress.c.study_id).where(progress.c.study_id == study_id)
        found = connection.execute(query.with_for_update(of=progress)).mappings().one()
        name = self._row["name"]
        _refuse_driver(found, name)
        others = read_teams(connection, study_id, found["now"], this_process()).living
        if others and found["algorithm"] != self._row["algorithm"]:
            raise StudyChanged(
                f"study {name!r} is being worked on with algorithm {found['algorithm']}, not {self._row['algorithm']}; "
                f"use the same one, or another study name"
            )
