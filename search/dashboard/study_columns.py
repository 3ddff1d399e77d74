"""A study's trials as columns in memory, each read when it is first asked for, then only what has changed.

Trials are numbered from 0 without a gap, so that a trial's number is its place in every column.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from search.dashboard.known_results import KnownResults
from search.database import Database
from search.decisions import read_decisions
from search.genotype_text import genotypes_of
from search.schema import metrics, trials
from search.study_view import DTYPES, StudyView
from search.trials import TrialState

STATES = tuple(str(state) for state in TrialState)
CODES = {state: code for code, state in enumerate(STATES)}
COMPLETED = CODES[TrialState.COMPLETED]
TIMES = ("created_at", "started_at", "finished_at", "elapsed_s")
CHUNK = 500
"""Rows at a time: fewer than would set off the garbage collector, which would double the time."""

COUNTS_KEPT = 1000
"""For how many values of `change_seq` it is remembered how many trials there were."""

Arrays = dict[str, np.ndarray]


class StudyColumns:
    """The columns of one study. May be used from several threads.

    Attributes:
      known: results of analyses that are kept until the study changes.
    """

    def __init__(self, database: Database, view: StudyView) -> None:
        self._database, self._view = database, view
        self._lock = threading.RLock()
        self._arrays: Arrays = {}
        self._read_at: dict[str, int] = {}
        self._workers: dict[str, int] = {}
        self._names: set[str] = set()
        self._counts: OrderedDict[int, int] = OrderedDict()
        self.decisions = read_decisions(view.space.get("columns")).columns
        self.known = KnownResults()

    @property
    def workers(self) -> list[str]:
        """The labels of the codes in the column `worker`."""
        return list(self._workers)

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        return sum(values.nbytes for values in tuple(self._arrays.values()))

    def states(self, sequence: int) -> np.ndarray:
        """Return each trial's state as an index of `STATES`, uint8, as of at least this `change_seq`."""
        return self._column("state", "state", sequence)

    def times(self, name: str, sequence: int) -> np.ndarray:
        """Return one of `TIMES`: float64, seconds, NaN where it has not happened."""
        return self._column("state" if name == "finished_at" else name, name, sequence)

    def attempts(self, sequence: int) -> np.ndarray:
        """Return each trial's attempt, int32."""
        return self._column("who", "attempt", sequence)

    def worker_codes(self, sequence: int) -> np.ndarray:
        """Return where each trial ran as an index of `workers`, int32."""
        return self._column("who", "worker", sequence)

    def metric(self, name: str, sequence: int) -> np.ndarray:
        """Return a metric's final values, float64, NaN where a trial has none."""
        return self._column(f"m:{name}", f"m:{name}", sequence)

    def metric_names(self, sequence: int) -> tuple[str, ...]:
        """Return the names of the metrics that any trial has: the objectives first, then the others by name."""
        with self._lock:
            self._refresh("names", sequence)
            own = [objective.metric for objective in self._view.objectives]
            return (*own, *sorted(self._names.difference(own)))

    def changed(self, since: int | None, sequence: int) -> np.ndarray:
        """Return the numbers of the trials that changed after a `change_seq`, ascending; None: of all."""
        count = len(self.states(sequence))
        if since is None:
            return np.arange(count)
        query = sa.select(trials.c.number).where(trials.c.study_id == self._view.id, trials.c.change_seq > since)
        with self._database.read() as connection:
            numbers = np.sort(np.array(connection.scalars(query).all(), np.int64))
        return numbers[numbers < count]

    def genotypes(self, sequence: int) -> np.ndarray:
        """Return the genotypes, shape (n, width)."""
        return self._column("genotype", "genotype", sequence)

    def active(self, sequence: int) -> np.ndarray:
        """Return which decisions are in force, shape (n, width), bool: others hang on choices that were not made."""
        genotypes = self.genotypes(sequence)
        found = np.ones(genotypes.shape, bool)
        for index, decision in enumerate(self.decisions):
            if 0 <= decision.parent < index:
                chosen = genotypes[:, decision.parent] == decision.parent_choice
                found[:, index] = found[:, decision.parent] & chosen
        return found

    def _column(self, group: str, name: str, sequence: int) -> np.ndarray:
        """Return a column as of at least a `change_seq`: all columns of one are equally long, whatever came since."""
        with self._lock:
            count = self._count(sequence)
            found = self._current(group, name, sequence)
            if len(found) >= count:
                return found[:count]
            self._arrays[name] = _grown(found, count)  # a trial came between the two reads, or has no such metric
            return self._arrays[name]

    def _count(self, sequence: int) -> int:
        """Return how many trials a request at this `change_seq` sees: as many as the first one did."""
        states = self._current("state", "state", sequence)
        while len(self._counts) > COUNTS_KEPT:
            self._counts.popitem(last=False)
        return self._counts.setdefault(sequence, len(states))

    def _current(self, group: str, name: str, sequence: int) -> np.ndarray:
        self._refresh(group, sequence)
        return self._arrays[name]

    def _refresh(self, group: str, sequence: int) -> None:
        since = self._read_at.get(group, -1)
        if since < sequence:
            read = _READERS.get(group, StudyColumns._read_metric)
            with self._database.read() as connection:
                read(self, connection, since, group)
            self._read_at[group] = sequence

    def _put(self, name: str, numbers: np.ndarray, values: np.ndarray) -> None:
        """Set a column's values at some trials' numbers."""
        found = self._arrays.get(name)
        if found is None:
            found = np.zeros((0, *values.shape[1:]), values.dtype)
        count = max(len(found), int(numbers.max()) + 1 if len(numbers) else 0)
        changed = _grown(found, count) if count > len(found) else found.copy()  # others may be reading the old one
        changed[numbers] = values
        self._arrays[name] = changed

    def _rows(self, connection: sa.Connection, since: int, *names: str) -> tuple[np.ndarray, list[list[Any]]]:
        """Return the numbers of the trials that changed after `since`, and some of their values, by column."""
        mine = trials.c.study_id == self._view.id
        columns = [trials.c[name] for name in names]
        if since < 0:  # all of them: a column less to be fetched
            values = fetched(connection, sa.select(*columns).where(mine).order_by(trials.c.number), len(names))
            return np.arange(len(values[0])), values
        query = sa.select(trials.c.number, *columns).where(mine, trials.c.change_seq > since)
        numbers, *values = fetched(connection, query, 1 + len(names))
        return np.array(numbers, np.int64), values

    def _read_states(self, connection: sa.Connection, since: int, _group: str) -> None:
        """Read when trials have finished, too, in the same pass: a study's page wants both."""
        numbers, (states, finished) = self._rows(connection, since, "state", "finished_at")
        self._put("finished_at", numbers, np.array(finished, np.float64))
        self._put("state", numbers, np.fromiter(map(CODES.__getitem__, states), np.uint8, len(states)))

    def _read_time(self, connection: sa.Connection, since: int, name: str) -> None:
        numbers, (values,) = self._rows(connection, since, name)
        self._put(name, numbers, np.array(values, np.float64))

    def _read_who(self, connection: sa.Connection, since: int, _group: str) -> None:
        numbers, (attempts, workers) = self._rows(connection, since, "attempt", "worker")
        codes = [self._workers.setdefault(worker, len(self._workers)) for worker in workers]
        self._put("attempt", numbers, np.array(attempts, np.int32))
        self._put("worker", numbers, np.array(codes, np.int32))

    def _read_genotypes(self, connection: sa.Connection, since: int, _group: str) -> None:
        numbers, (texts,) = self._rows(connection, since, "genotype")
        width, dtype = len(self.decisions), str(self._view.space.get("dtype"))
        dtype = dtype if dtype in DTYPES else "float64"
        self._put("genotype", numbers, genotypes_of(texts, width, dtype) if texts else np.zeros((0, width), dtype))

    def _read_names(self, connection: sa.Connection, since: int, _group: str) -> None:
        same = (trials.c.study_id == metrics.c.study_id) & (trials.c.number == metrics.c.number)
        query = sa.select(metrics.c.name).where(metrics.c.study_id == self._view.id).distinct()
        query = query.join(trials, same).where(trials.c.change_seq > since) if since >= 0 else query
        self._names |= set(connection.scalars(query))

    def _read_metric(self, connection: sa.Connection, since: int, group: str) -> None:
        name, study_id = group.removeprefix("m:"), self._view.id
        query = sa.select(metrics.c.number, metrics.c.value)
        query = query.where(metrics.c.study_id == study_id, metrics.c.name == name)
        if since >= 0:
            same = (trials.c.study_id == metrics.c.study_id) & (trials.c.number == metrics.c.number)
            query = query.join(trials, same).where(trials.c.study_id == study_id, trials.c.change_seq > since)
        numbers, values = fetched(connection, query, 2)
        self._put(group, np.array(numbers, np.int64), np.array(values, np.float64))


_READERS: dict[str, Callable[[StudyColumns, sa.Connection, int, str], None]] = {
    "state": StudyColumns._read_states,
    **dict.fromkeys(("created_at", "started_at", "elapsed_s"), StudyColumns._read_time),
    "who": StudyColumns._read_who,
    "genotype": StudyColumns._read_genotypes,
    "names": StudyColumns._read_names,
}


def fetched(connection: sa.Connection, query: sa.Select[Any], width: int) -> list[list[Any]]:
    """Return what a query finds, by column, as the driver gives it: no type here needs more."""
    found: list[list[Any]] = [[] for _ in range(width)]
    for part in _chunks(connection.execute(query)):
        for column, values in zip(found, part, strict=True):
            column.extend(values)
    return found


def _chunks(rows: sa.CursorResult[Any]) -> Iterator[Sequence[tuple[Any, ...]]]:
    cursor: Any = rows.cursor
    while part := cursor.fetchmany(CHUNK):
        yield list(zip(*part, strict=True))


def _grown(values: np.ndarray, count: int) -> np.ndarray:
    """Return a copy of `count` rows, the new ones unknown: NaN of floats, 0 of integers."""
    grown = np.full((count, *values.shape[1:]), np.nan if values.dtype.kind == "f" else 0, values.dtype)
    grown[: len(values)] = values
    return grown
