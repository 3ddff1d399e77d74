"""A stored study as anyone may read it: what it is, how it stands, its trials as columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from search.errors import StorageCorrupt, StudyNotFound
from search.genotype_text import genotypes_of
from search.leases import STALE_AFTER_S, holder_age_s, this_process
from search.metric_names import is_cost
from search.objectives import Constraint, Objective, parse_constraints, parse_objectives
from search.pareto import front_of
from search.schema import fronts, measurements, metrics, progress, studies, trial_logs, trials
from search.trials import TrialState, TrialTable

if TYPE_CHECKING:
    import pandas as pd

    from search.storage import Storage

CHUNK = 500
"""Rows at a time: fewer than would set off the garbage collector, which would double the time."""
DTYPES = ("uint8", "uint16", "uint32", "float64")
TABLE_COLUMNS = (
    "number",
    "state",
    "attempt",
    "reason",
    "worker",
    "created_at",
    "started_at",
    "finished_at",
    "elapsed_s",
)


class StudyView:
    """Reads one study. Nothing is kept but what does not change: every call asks the database.

    Attributes:
      name: the study's.
      id: of its rows.
      fingerprint: of its space.
      space: the space's columns as plain values, for showing genotypes.
      objectives, constraints: what is searched for.
      algorithm_settings: the algorithm's name and settings.
      settings: whatever the study's maker keeps with it.
      seed, retries, created_at: as it was made.
    """

    def __init__(self, storage: Storage, name: str) -> None:
        """Look the study up. Raises StudyNotFound."""
        self._database = storage.database
        with self._database.read() as connection:
            row = connection.execute(sa.select(studies).where(studies.c.name == name)).mappings().one_or_none()
            names = [] if row else connection.scalars(sa.select(studies.c.name).order_by(studies.c.id)).all()
        if row is None:
            stored = f"stored are: {', '.join(names[-20:])}" if names else "no study is stored there"
            raise StudyNotFound(f"there is no study {name!r} in {self._database.label}; {stored}")
        self.id: int = row["id"]
        self.name = name
        self.fingerprint: str = row["fingerprint"]
        self.space: dict[str, Any] = row["space"]
        self.objectives = tuple(Objective(metric, direction) for metric, direction in row["objectives"])
        self.constraints: tuple[Constraint, ...] = parse_constraints(row["constraints"])
        self.algorithm_settings: dict[str, Any] = row["algorithm"]
        self.settings: dict[str, Any] = row["settings"]
        self.seed: int = row["seed"]
        self.retries: int = row["retries"]
        self.created_at: float = row["created_at"]

    @property
    def max_trials(self) -> int:
        """The number of trials after which the study ends."""
        with self._database.read() as connection:
            return int(connection.scalar(sa.select(studies.c.max_trials).where(studies.c.id == self.id)) or 0)

    @property
    def state(self) -> str:
        """`running`, `ended`, or `interrupted`: it was running, but nobody drives it any more."""
        return study_state(self._progress())

    @property
    def reason(self) -> str:
        """Why it ended, e.g. `budget reached`; empty while it runs."""
        return str(self._progress()["reason"])

    @property
    def driver(self) -> tuple[str | None, float | None]:
        """The host of the driver that has the study, or went without a word, and when it last said that it lives."""
        row = self._progress()
        return row["lease_host"], row["lease_renewed_at"]

    @property
    def updated_at(self) -> float:
        """When anything last changed, in seconds since 1970."""
        return float(self._progress()["updated_at"])

    @property
    def change_seq(self) -> int:
        """A number that grows with every change: ask again only for what is newer (`trials(changed_since=...)`)."""
        return int(self._progress()["change_seq"])

    def counts(self) -> dict[TrialState, int]:
        """Return how many trials are in each state."""
        row = self._progress()
        return {state: row[state.lower()] for state in TrialState}

    def trials(
        self,
        *,
        numbers: Sequence[int] | None = None,
        states: Collection[str] | None = None,
        changed_since: int | None = None,
    ) -> TrialTable:
        """Return all trials, or those with these numbers, in these states, changed after this `change_seq`."""
        chosen = [trials.c.study_id == self.id]
        if numbers is not None:
            chosen.append(trials.c.number.in_([int(number) for number in numbers]))
        if states is not None:
            chosen.append(trials.c.state.in_([str(state) for state in states]))
        if changed_since is not None:
            chosen.append(trials.c.change_seq > changed_since)
        return self._table(chosen)

    def front(self, of: Mapping[str, str] | Sequence[str] | None = None) -> TrialTable:
        """Return the completed trials that no other dominates; ties are all there.

        In the study's objectives, or `of` other metrics, see `directed`: `front(["accuracy", "latency_ms@pixel3"])` is
        a device's own front. A trial that lacks one of them is left out. Raises ValueError for a metric that no
        completed trial has.
        """
        if of is not None:
            table, objectives = self.trials(states=[TrialState.COMPLETED]), self.directed(of)
            missing = [item.metric for item in objectives if item.metric not in table.metrics]
            if missing and len(table):
                raise ValueError(f"no trial of {self.name!r} has {missing[0]!r}: they have {', '.join(table.metrics)}")
            return table.select(front_of(table, objectives))
        on_front = sa.select(fronts.c.number).where(fronts.c.study_id == self.id)
        return self._table([trials.c.study_id == self.id, trials.c.number.in_(on_front)])

    def directed(self, of: Mapping[str, str] | Sequence[str]) -> tuple[Objective, ...]:
        """Return metrics as objectives: given with directions, or as names alone.

        A name alone has the direction that it has as the study's objective; a cost by its name (`latency_ms@pixel3`,
        `params`) is minimized. Raises ValueError for any other, and for none at all.
        """
        if isinstance(of, Mapping):
            return parse_objectives(of)
        own = {objective.metric: objective.direction for objective in self.objectives}
        directions = {name: own.get(name, "minimize" if is_cost(name) else "") for name in of}
        unclear = [name for name, direction in directions.items() if not direction]
        if unclear:
            raise ValueError(
                f"{unclear[0]!r} is no objective of {self.name!r}: say its direction, maximize or minimize"
            )
        return parse_objectives(directions)

    def best(self, metric: str | None = None) -> TrialTable:
        """Return the completed trial that is best in an objective, the first one by default; no row if there is none.

        Of equal ones the earliest. Raises ValueError for a metric that is no objective.
        """
        objectives = {objective.metric: objective for objective in self.objectives}
        if metric is not None and metric not in objectives:
            raise ValueError(f"{metric!r} is not an objective of {self.name!r}: expected {' or '.join(objectives)}")
        objective = objectives[metric] if metric is not None else self.objectives[0]
        value = metrics.c.value.desc() if objective.sign > 0 else metrics.c.value.asc()
        same = (trials.c.study_id == metrics.c.study_id) & (trials.c.number == metrics.c.number)
        query = (
            sa.select(metrics.c.number)
            .join(trials, same)
            .where(metrics.c.study_id == self.id, metrics.c.name == objective.metric)
            .where(trials.c.state == TrialState.COMPLETED)
            .order_by(value, metrics.c.number)
            .limit(1)
        )
        return self._table([trials.c.study_id == self.id, trials.c.number.in_(query)])

    def measurements(self, number: int) -> list[tuple[int, str, float, float]]:
        """Return what a trial measured on its way: (step, metric, value, seconds since 1970), by step and metric."""
        query = (
            sa.select(measurements.c.step, measurements.c.name, measurements.c.value, measurements.c.measured_at)
            .where(measurements.c.study_id == self.id, measurements.c.number == number)
            .order_by(measurements.c.step, measurements.c.name)
        )
        with self._database.read() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def log(self, number: int) -> str:
        """Return the end of what a trial's evaluation wrote to standard output and standard error; "" for nothing."""
        query = sa.select(trial_logs.c.log)
        with self._database.read() as connection:
            this = (trial_logs.c.study_id == self.id, trial_logs.c.number == number)
            return connection.scalar(query.where(*this)) or ""

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a trial: number, state, metrics, decisions by name, reason, attempt, elapsed_s, worker."""
        from search.frame import frame

        return frame(self.trials(), self.space["columns"])

    def close(self) -> None:
        """Nothing is held; a driver's study releases its lease here."""

    def _progress(self) -> sa.RowMapping:
        query = sa.select(progress, self._database.now.label("now")).where(progress.c.study_id == self.id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise StudyNotFound(f"study {self.name!r} is no longer in {self._database.label}")
        return row

    def _table(self, chosen: list[sa.ColumnElement[bool]]) -> TrialTable:
        """Return the chosen trials, read in chunks so that few Python objects are alive at a time."""
        query = sa.select(*(trials.c[name] for name in TABLE_COLUMNS), trials.c.genotype)
        same = (trials.c.study_id == metrics.c.study_id) & (trials.c.number == metrics.c.number)
        values = sa.select(metrics.c.number, metrics.c.name, metrics.c.value)
        values = values.where(metrics.c.study_id == self.id) if len(chosen) == 1 else values.join(trials, same)
        with self._database.read() as connection:
            rows = connection.execute(query.where(*chosen).order_by(trials.c.number))
            found = _joined([self._columns(part) for part in _chunks(rows)], len(self.space["columns"]), self._dtype)
            pivoted: dict[str, np.ndarray] = {}
            filters = chosen if len(chosen) > 1 else []
            for part in _chunks(connection.execute(values.where(*filters))):
                _pivot(pivoted, found["number"], *part)
        return _table(found, pivoted)

    @property
    def _dtype(self) -> str:
        name = str(self.space.get("dtype"))
        return name if name in DTYPES else "float64"

    def _columns(self, columns: list[tuple[Any, ...]]) -> dict[str, np.ndarray]:
        *plain, genotypes = columns
        kinds: dict[str, Any] = {"number": np.int64, "attempt": np.int64, "state": "U10"}
        kinds |= {"reason": object, "worker": object}
        found = {
            name: np.array(values, kinds.get(name, np.float64))
            for name, values in zip(TABLE_COLUMNS, plain, strict=True)
        }
        try:
            rows = genotypes_of(genotypes, len(self.space["columns"]), self._dtype)
        except ValueError as error:
            raise StorageCorrupt(
                f"{self._database.label} holds genotypes that are none of {self.name!r}: {error}"
            ) from error
        return {**found, "genotype": rows}


def study_state(row: sa.RowMapping) -> str:
    """Return `running`, `ended` or `interrupted` for a row of `progress` that was read with the time as `now`."""
    shared = row["shared_at"] is not None and row["now"] - row["shared_at"] < STALE_AFTER_S
    if row["state"] == "running" and not shared and holder_age_s(row, row["now"], this_process()) is None:
        return "interrupted"
    return str(row["state"])


def _chunks(rows: sa.CursorResult[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """Give the columns of some rows at a time, as the driver's cursor returns them: no type here needs more."""
    cursor: Any = rows.cursor
    while part := cursor.fetchmany(CHUNK):
        yield list(zip(*part, strict=True))


def _joined(parts: list[dict[str, np.ndarray]], width: int, dtype: str) -> dict[str, np.ndarray]:
    if not parts:
        empty: dict[str, np.ndarray] = {name: np.zeros(0) for name in TABLE_COLUMNS}
        empty |= {"number": np.zeros(0, np.int64), "attempt": np.zeros(0, np.int64), "state": np.zeros(0, "U10")}
        return {**empty, "genotype": np.zeros((0, width), dtype)}
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _pivot(
    pivoted: dict[str, np.ndarray],
    numbers: np.ndarray,
    of: Sequence[int],
    names: Sequence[str],
    values: Sequence[float],
) -> None:
    """Put values into one column a metric, at the places of their trials' numbers."""
    places = np.searchsorted(numbers, np.array(of))
    kinds = {name: index for index, name in enumerate(set(names))}
    which = np.fromiter(map(kinds.__getitem__, names), np.intp, len(names))
    found = np.array(values)
    for name, index in kinds.items():
        column = pivoted.setdefault(name, np.full(len(numbers), np.nan))
        column[places[which == index]] = found[which == index]


def _table(found: dict[str, np.ndarray], pivoted: dict[str, np.ndarray]) -> TrialTable:
    return TrialTable(
        numbers=found["number"],
        states=found["state"],
        genotypes=found["genotype"],
        metrics=dict(sorted(pivoted.items())),
        attempts=found["attempt"],
        reasons=found["reason"],
        workers=found["worker"],
        created_at=found["created_at"],
        started_at=found["started_at"],
        finished_at=found["finished_at"],
        elapsed_s=found["elapsed_s"],
    )
