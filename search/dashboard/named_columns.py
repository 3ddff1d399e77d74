"""Columns by the names that requests use: `number`, `state`, a metric or `m:METRIC`, `d:DECISION`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from search.dashboard.recosts import costs
from search.dashboard.refusal import bad_request
from search.dashboard.store import Opened, Store
from search.dashboard.study_columns import STATES, TIMES
from search.decisions import Decision
from search.schema import fronts
from search.study_devices import LATENCY

PLAIN = ("number", "state", "front", "attempt", "worker", *TIMES)
DEVICE = f"{LATENCY}@"


@dataclass(frozen=True, slots=True)
class Column:
    """One value a trial.

    Attributes:
      name: as a request may give it.
      values: shape (n,): numbers, or indices of `labels`.
      labels: texts, for values that are indices.
      known: shape (n,), bool: which values there are; None where all of them, or all but NaN.
    """

    name: str
    values: np.ndarray
    labels: tuple[str, ...] | None = None
    known: np.ndarray | None = None

    def has(self) -> np.ndarray:
        """Return which trials have a value: shape (n,), bool."""
        if self.known is not None:
            return self.known
        return ~np.isnan(self.values) if self.values.dtype.kind == "f" else np.ones(len(self.values), bool)

    def plain(self, rows: np.ndarray) -> list[float | int | str | bool | None]:
        """Return some trials' values as JSON has them, None for those that have none."""
        values = self.values[rows].tolist()
        if self.labels is not None:
            values = [self.labels[value] for value in values]
        return [value if has else None for value, has in zip(values, self.has()[rows].tolist(), strict=True)]


def column(store: Store, study: Opened, name: str) -> Column:
    """Return a study's column. Raises Refusal for a name that it does not have."""
    if name in PLAIN:
        return _plain(study, name)
    metrics = study.columns.metric_names(study.sequence)
    metric = name.removeprefix("m:")
    if metric in metrics:
        return Column(name, study.columns.metric(metric, study.sequence))
    decision = name.removeprefix("d:")
    for index, described in enumerate(study.columns.decisions):
        if described.name == decision:
            return _decision(study, name, index, described)
    if metric.startswith(DEVICE):
        return Column(name, costs(store, study, metric.removeprefix(DEVICE)))
    raise bad_request(_unknown(study, name, metrics))


def front_numbers(study: Opened) -> np.ndarray:
    """Return the numbers of the trials on the stored front, ascending."""

    def read() -> np.ndarray:
        query = sa.select(fronts.c.number).where(fronts.c.study_id == study.view.id).order_by(fronts.c.number)
        with study.database.read() as connection:
            numbers = np.array(connection.scalars(query).all(), np.int64)
        return numbers[numbers < len(study.columns.states(study.sequence))]  # later ones are another request's

    return study.columns.known.get("front", study.sequence, read)


def _plain(study: Opened, name: str) -> Column:
    columns, sequence = study.columns, study.sequence
    states = columns.states(sequence)
    match name:
        case "number":
            return Column(name, np.arange(len(states), dtype=np.int32))
        case "state":
            return Column(name, states, STATES)
        case "attempt":
            return Column(name, columns.attempts(sequence))
        case "worker":
            return _worker(study)
        case "front":
            on_front = np.zeros(len(states), bool)
            on_front[front_numbers(study)] = True
            return Column(name, on_front)
    return Column(name, columns.times(name, sequence))


def _worker(study: Opened) -> Column:
    codes = study.columns.worker_codes(study.sequence)
    labels = tuple(study.columns.workers)
    known = np.array([label != "" for label in labels], bool)
    return Column("worker", codes, labels, known[codes] if labels else np.zeros(0, bool))


def _decision(study: Opened, name: str, index: int, described: Decision) -> Column:
    values = study.columns.genotypes(study.sequence)[:, index]
    active = study.columns.active(study.sequence)[:, index] if described.parent >= 0 else None
    if not described.choices:
        values = values.astype(np.float64)
        return Column(name, values if active is None else np.where(active, values, np.nan))
    return Column(name, np.minimum(values, len(described.choices) - 1).astype(np.int32), described.choices, active)


def _unknown(study: Opened, name: str, metrics: tuple[str, ...]) -> str:
    known = [*PLAIN, *metrics, *(f"d:{decision.name}" for decision in study.columns.decisions)]
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known[:12])}, ..."
    return f"there is no column {name[:140]!r}; {hint}"
