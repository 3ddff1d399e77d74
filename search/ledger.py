"""A driver's writes to one study: fenced by its lease, each transaction once, at the least cost."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from search.database import Database, Statement, Writer
from search.leases import Lease
from search.schema import fronts, measurements, metrics, progress, trial_logs, trials
from search.trials import TrialState

Rows = Sequence[Mapping[str, Any]]
P = sa.bindparam
JSON = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))
COUNTED = tuple((state, state.lower()) for state in TrialState)


class Ledger:
    """The rows of one study, as its driver writes them. Every transaction makes `change_seq` one larger."""

    def __init__(self, database: Database, study_id: int, lease: Lease) -> None:
        self._study_id = study_id
        self._lease = lease
        self._write = Writer(database)
        with database.read() as connection:
            row = connection.execute(sa.select(progress).where(progress.c.study_id == study_id)).mappings().one()
        self._sequence: int = row["change_seq"]
        self._saved: str = row["algorithm_state"]
        self.counts = Counter({state: int(row[state.lower()]) for state in TrialState})
        self._prepare(database)

    def _prepare(self, database: Database) -> None:
        """Compile what is run for every trial."""
        this_trial = (trials.c.study_id == self._study_id, trials.c.number == P("of_number"))
        counts: dict[str, Any] = {name: P(name) for _, name in COUNTED}
        advance = (
            sa.update(progress)
            .where(
                progress.c.study_id == self._study_id,
                progress.c.lease_number == self._lease.number,
                progress.c.change_seq == P("old_seq"),
            )
            .values(change_seq=P("change_seq"), updated_at=P("now"), **counts)
        )
        changed = sa.update(trials).where(*this_trial, trials.c.attempt == P("of_attempt"), trials.c.state == P("was"))
        self._advance = Statement(advance, database)
        self._advance_state = Statement(advance.values(algorithm_state=P("algorithm_state")), database)
        self._propose = Statement(
            trials.insert(),
            database,
            [column.name for column in trials.c if column.name not in ("told", "finished_at", "elapsed_s")],
        )
        self._start = Statement(
            changed.values(
                state=TrialState.RUNNING, attempt=P("attempt"), started_at=P("now"), change_seq=P("change_seq")
            ),
            database,
        )
        self._finish = Statement(
            changed.values(
                state=P("state"),
                told=P("told"),
                change_seq=P("change_seq"),
                finished_at=P("now"),
                elapsed_s=P("elapsed_s"),
                worker=P("worker"),
                reason=P("reason"),
            ),
            database,
        )
        self._put_back = Statement(
            changed.values(
                state=TrialState.PENDING, losses=P("losses"), reason=P("reason"), change_seq=P("change_seq")
            ),
            database,
        )
        ended = sa.update(progress).where(progress.c.study_id == self._study_id)
        self._end = Statement(ended.values(state="ended", reason=P("reason")), database)
        self._metric = Statement(metrics.insert(), database, [column.name for column in metrics.c])
        self._log = Statement(trial_logs.insert(), database, [column.name for column in trial_logs.c])
        self._measure = Statement(_upsert(database), database)
        self._join = Statement(fronts.insert(), database, ["study_id", "number"])
        leaves = sa.delete(fronts).where(fronts.c.study_id == self._study_id, fronts.c.number == P("number"))
        self._leave = Statement(leaves, database)
        same = (metrics.c.study_id == self._study_id, metrics.c.number == P("number"), metrics.c.name == P("name"))
        self._forget = Statement(sa.delete(metrics).where(*same), database)
        self._touch = Statement(sa.update(trials).where(*this_trial).values(change_seq=P("change_seq")), database)

    @property
    def algorithm_state(self) -> dict[str, Any]:
        """The algorithm's state as it was last saved; empty if it never was, or was another algorithm's."""
        state: dict[str, Any] = json.loads(self._saved)
        return state

    def ask(self, started: Rows, proposed: Rows, state: Mapping[str, Any]) -> None:
        """Record unfinished trials that start again, new ones that start, and the algorithm's state."""
        now = time.time()

        def work(cursor: Any, sequence: int) -> None:
            stamp = {"change_seq": sequence, "now": now}
            self._start.run(cursor, [{**row, **stamp} for row in started])
            fixed = {
                "study_id": self._study_id,
                "state": "RUNNING",
                "attempt": 1,
                "losses": 0,
                "worker": "",
                "reason": "",
                "change_seq": sequence,
                "created_at": now,
                "started_at": now,
            }
            self._propose.run(cursor, [{**fixed, **row} for row in proposed])

        for row in started:
            self.counts[row["was"]] -= 1
        self.counts[TrialState.RUNNING] += len(started) + len(proposed)
        self._transact(work, state, synced=False)

    def tell(  # noqa: PLR0917 - what there is to record
        self,
        finished: Rows,
        values: Rows,
        joined: Sequence[int],
        left: Sequence[int],
        state: Mapping[str, Any] | None,
        logs: Rows = (),
    ) -> None:
        """Record finished trials, their metrics and logs, what that did to the front, and the algorithm's new state."""
        now = time.time()

        def work(cursor: Any, sequence: int) -> None:
            stamp = {"change_seq": sequence, "now": now, "was": "RUNNING"}
            changed = self._finish.run(cursor, [{**row, **stamp} for row in finished])
            if changed != len(finished):
                raise self._lease.lost()
            self._metric.run(cursor, [{"study_id": self._study_id, **row} for row in values])
            self._log.run(cursor, [{"study_id": self._study_id, **row} for row in logs])
            self._leave.run(cursor, [{"number": number} for number in left])
            self._join.run(cursor, [{"study_id": self._study_id, "number": number} for number in joined])

        self.counts[TrialState.RUNNING] -= len(finished)
        for row in finished:
            self.counts[row["state"]] += 1
        self._transact(work, state)

    def put_back(self, rows: Rows) -> None:
        """Record that running trials wait for another attempt."""
        self.counts[TrialState.RUNNING] -= len(rows)
        self.counts[TrialState.PENDING] += len(rows)

        def work(cursor: Any, sequence: int) -> None:
            changed = self._put_back.run(cursor, [{**row, "was": "RUNNING", "change_seq": sequence} for row in rows])
            if changed != len(rows):
                raise self._lease.lost()

        self._transact(work)

    def measure(self, number: int, step: int, values: Mapping[str, float]) -> None:
        """Record what a running trial has measured so far; a step that is measured again is replaced."""
        now = time.time()
        rows = [
            {
                "study_id": self._study_id,
                "number": number,
                "step": step,
                "name": name,
                "value": value,
                "measured_at": now,
            }
            for name, value in values.items()
        ]
        self._transact(lambda cursor, _: self._measure.run(cursor, rows))

    def annotate(self, number: int, values: Mapping[str, float]) -> None:
        """Record metrics of a trial that were found after its end, in place of any of the same names."""
        names = [{"number": number, "name": name} for name in values]

        def work(cursor: Any, sequence: int) -> None:
            self._touch.run(cursor, [{"of_number": number, "change_seq": sequence}])
            self._forget.run(cursor, names)
            rows = [
                {"study_id": self._study_id, "number": number, "name": name, "value": values[name]} for name in values
            ]
            self._metric.run(cursor, rows)

        self._transact(work)

    def end(self, reason: str) -> None:
        """Record that, and why, nobody drives the study any more."""
        self._transact(lambda cursor, _: self._end.run(cursor, [{"reason": reason}]))

    def close(self) -> None:
        """Give the connection back."""
        self._write.close()

    def _transact(
        self, work: Callable[[Any, int], Any], state: Mapping[str, Any] | None = None, *, synced: bool = True
    ) -> None:
        """Run `work` in one transaction with the study's new sequence number, counts and algorithm's state."""
        old, new = self._sequence, self._sequence + 1
        row: dict[str, Any] = {"old_seq": old, "change_seq": new, "now": time.time()}
        row.update((name, self.counts[state]) for state, name in COUNTED)
        advance = self._advance
        text = self._saved if state is None else JSON.encode(state)
        if text != self._saved:
            advance, row["algorithm_state"] = self._advance_state, text

        def transaction(cursor: Any) -> None:
            if advance.run(cursor, [row]):
                work(cursor, new)
            elif not self._is_written(cursor, new):
                raise self._lease.lost()

        self._write(transaction, synced=synced)
        self._sequence, self._saved = new, text

    def _is_written(self, cursor: Any, sequence: int) -> bool:
        """Return whether this driver has written `sequence`: its connection broke at the moment of the commit."""
        found = "SELECT lease_number, change_seq FROM progress WHERE study_id = "
        cursor.execute(f"{found}{self._study_id:d}")
        row = cursor.fetchone()
        return row is not None and tuple(row) == (self._lease.number, sequence)


def _upsert(database: Database) -> Any:
    """Return the insert of a measurement that replaces an older one of the same trial, step and name."""
    insert = database.insert(measurements)
    replaced = {"value": insert.excluded.value, "measured_at": insert.excluded.measured_at}
    return insert.on_conflict_do_update(index_elements=["study_id", "number", "step", "name"], set_=replaced)
