"""Re-costing a study: its trials under another version of a device's latency table, without a new evaluation."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from search.algorithms._base import Problem, Results
from search.errors import SpaceChanged
from search.history import read_history
from search.leases import Lease
from search.ledger import JSON
from search.rejudging import Rejudged, rejudge
from search.schema import fronts, metrics, progress, studies, trials
from search.study_tables import RECOSTS, recosts_of, tables_used, with_tables
from search.study_view import StudyView
from search.trials import FINISHED, TrialState, TrialTable

if TYPE_CHECKING:
    from search.algorithms._base import Algorithm
    from search.known_metrics import KnownMetrics
    from search.storage import Storage
    from spaces.genotype import GenotypeSpace

KEPT = ("random", "listing")
"""What an algorithm's state holds that no result has made; see `Algorithm.state`."""


@dataclass(frozen=True, slots=True)
class Recosted:
    """What re-costing has changed.

    Attributes:
      metrics: the names of what was computed anew.
      trials: finished trials; changed: those of them whose metrics, state or reason changed.
      broken, mended: trials that break a constraint now and did not, and those that no longer do.
      front: trials on the front now; joined, left: those that were not on it, and that no longer are.
      before, after: the facts of the table used before, None if there was none, and of the one used now.
    """

    metrics: tuple[str, ...]
    trials: int
    changed: int
    broken: int
    mended: int
    front: int
    joined: int
    left: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


def recost(
    storage: Storage,
    name: str,
    *,
    device: str,
    space: GenotypeSpace,
    known: KnownMetrics,
    facts: Mapping[str, Any],
    algorithm: Algorithm,
) -> Recosted:
    """Give a study's finished trials the metrics that `known` has for them, and judge them again.

    States, the front, the algorithm's saved state and what the study says of its tables change in one transaction, or
    nothing does. What the evaluator measured stays as it is. The same table again changes nothing.

    Args:
      storage, name: where the study is kept, and its name.
      device: the name of the device in the study; "" for that of plain `latency_ms`. One that is new is added.
      space: the study's.
      known: the device's metrics for any genotype.
      facts: what is kept of the table that gives them, its `sha256` among it.
      algorithm: the study's, with its settings; one that keeps what it has learnt in its state learns it all again.

    Raises:
      StudyNotFound, StudyLocked: there is no such study, or a driver is at it.
      SpaceChanged: the space is not the study's.
    """
    study = StudyView(storage, name)
    if study.fingerprint != space.fingerprint:
        raise SpaceChanged(f"study {name!r} is stored with another space than this one; use its own")
    lease = Lease(storage.database, name)
    storage.database.write(lambda connection: lease.take(connection, study.id))
    lease.keep()
    try:
        return _Recosting(storage, StudyView(storage, name), lease, device, facts).run(space, known, algorithm)
    finally:
        lease.release()


class _Recosting:
    """One re-costing of a study whose lease is held, so that nobody else writes."""

    def __init__(self, storage: Storage, study: StudyView, lease: Lease, device: str, facts: Mapping[str, Any]) -> None:
        self._database, self._study, self._lease = storage.database, study, lease
        self._device, self._facts = device, dict(facts)
        self._before = tables_used(study.settings).get(device)

    def run(self, space: GenotypeSpace, known: KnownMetrics, algorithm: Algorithm) -> Recosted:
        """Compute everything, then write it if anything differs."""
        study, old = self._study, self._study.trials(states=FINISHED)
        costs = dict(zip(known.names, known(old.genotypes).T, strict=True))
        new = rejudge(old, costs, study.objectives, study.constraints)
        front, was = new.table.numbers[new.on_front], study.front().numbers
        if new.changed.any() or self._before is None or self._before["sha256"] != self._facts["sha256"]:
            self._database.write(lambda connection: self._write(connection, new, list(costs), space, algorithm))
        return Recosted(
            metrics=known.names, trials=len(old), changed=int(new.changed.sum()),
            broken=_turned(old, new.table, TrialState.INFEASIBLE), mended=_turned(old, new.table, TrialState.COMPLETED),
            front=len(front), joined=len(np.setdiff1d(front, was)), left=len(np.setdiff1d(was, front)),
            before=self._before, after=self._facts,
        )  # fmt: skip

    def _write(
        self, connection: sa.Connection, new: Rejudged, names: list[str], space: GenotypeSpace, algorithm: Algorithm
    ) -> None:
        """Write what has changed, in the transaction of `connection`. Raises LeaseLost."""
        study_id = self._study.id
        mine = (progress.c.study_id == study_id, progress.c.lease_number == self._lease.number)
        row = connection.execute(sa.select(progress).where(*mine).with_for_update()).mappings().one_or_none()
        if row is None:
            raise self._lease.lost()
        sequence = row["change_seq"] + 1
        self._write_trials(connection, new, names, sequence)
        past = read_history(
            connection, study_id, self._study.objectives, self._study.constraints, space.width, space.dtype
        )
        changes: dict[str, Any] = {"change_seq": sequence, "updated_at": time.time()}
        for state in (TrialState.COMPLETED, TrialState.INFEASIBLE):
            changes[state.lower()] = int((new.table.states == state).sum())
        saved = self._learnt_again(row["algorithm_state"], past.results, space, algorithm)
        connection.execute(sa.update(progress).where(*mine).values(**changes, algorithm_state=saved))
        settings = self._settings(names, int(new.changed.sum()))
        connection.execute(sa.update(studies).where(studies.c.id == study_id).values(settings=settings))

    def _write_trials(self, connection: sa.Connection, new: Rejudged, names: list[str], sequence: int) -> None:
        study_id, numbers = self._study.id, new.table.numbers.tolist()
        connection.execute(sa.delete(metrics).where(metrics.c.study_id == study_id, metrics.c.name.in_(names)))
        values = [
            {"study_id": study_id, "number": number, "name": name, "value": value}
            for name in names
            for number, value in zip(numbers, new.table.metrics[name].tolist(), strict=True)
        ]
        rows = [
            {"of": numbers[row], "now": str(new.table.states[row]), "why": str(new.table.reasons[row])}
            for row in np.flatnonzero(new.changed)
        ]
        changed = sa.update(trials).where(trials.c.study_id == study_id, trials.c.number == sa.bindparam("of"))
        changed = changed.values(state=sa.bindparam("now"), reason=sa.bindparam("why"), change_seq=sequence)
        connection.execute(sa.delete(fronts).where(fronts.c.study_id == study_id))
        front = [{"study_id": study_id, "number": number} for number in new.table.numbers[new.on_front].tolist()]
        for statement, batch in ((metrics.insert(), values), (changed, rows), (fronts.insert(), front)):
            if batch:
                connection.execute(statement, batch)

    def _learnt_again(self, saved: str, results: Results, space: GenotypeSpace, algorithm: Algorithm) -> str:
        """Return the algorithm's state for the results as they are now.

        What most algorithms know of results is no part of their state: a resumption rebuilds it from the trials. One
        whose state holds what it has learnt learns all of them again; its random generator goes on.
        """
        state = json.loads(saved)
        if not algorithm.learning_changes_state or not state:
            return saved
        if algorithm.name != self._study.algorithm_settings.get("name"):
            return "{}"
        algorithm.start(Problem(space, len(self._study.objectives), self._study.seed))
        algorithm.learn(results)
        return JSON.encode({**algorithm.state(), **{key: state[key] for key in KEPT if key in state}})

    def _settings(self, names: list[str], changed: int) -> dict[str, Any]:
        """Return the study's settings with the table that is used now, and the one before it in their history."""
        settings = self._study.settings
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"), "device": self._device, "metrics": names,
            "changed": changed, "before": self._before, "after": self._facts,
        }  # fmt: skip
        return {
            **settings, **with_tables(settings, {self._device: self._facts}),
            RECOSTS: [*recosts_of(settings), entry],
        }  # fmt: skip


def _turned(old: TrialTable, new: TrialTable, into: TrialState) -> int:
    """Return how many trials are in a state that they were not in."""
    return int(((new.states == into) & (old.states != into)).sum())
