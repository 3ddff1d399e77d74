"""A study as one JSON-lines file: the study, its trials in order, the latency tables that its settings name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from search.annotation_documents import KEY, annotation_documents, keep_annotations
from search.database import Database
from search.errors import StudyNotFound
from search.fields import parse_json
from search.objectives import Objective, nondominated, scores
from search.schema import fronts, latency_tables, measurements, metrics, progress, studies, trials
from search.study_document import TABLE_FIELDS, read_study, read_table, read_trial, study_document, trial_document
from search.study_row import check_name
from search.trials import TrialState

LINE_LIMIT = 1 << 27
BATCH = 1000
HASH = re.compile(r"\b[0-9a-f]{64}\b")


def export_study(database: Database, name: str, file: Path) -> None:
    """Write a study to `file`, in whole or not at all.

    Raises StudyNotFound, OSError, and ValueError for a pipe or a device, which the finished file would replace.
    """
    file = file.resolve()
    if file.exists() and not file.is_file():
        raise ValueError(f"{file} is no ordinary file, and is left as it is: expected the name of one to be written")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as stream:
            for document in _documents(database, name):
                stream.write(json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _documents(database: Database, name: str) -> Iterator[dict[str, Any]]:
    with database.read() as connection:
        query = sa.select(studies, progress).join(progress, progress.c.study_id == studies.c.id)
        row = connection.execute(query.where(studies.c.name == name)).mappings().one_or_none()
        if row is None:
            raise StudyNotFound(f"there is no study {name!r} in {database.label}")
        yield study_document(row, row)
        values = _ByTrial(connection, metrics, row["id"])
        measured = _ByTrial(connection, measurements, row["id"])
        query = sa.select(trials).where(trials.c.study_id == row["id"]).order_by(trials.c.number)
        for part in connection.execute(query).mappings().partitions(BATCH):
            last = part[-1]["number"]
            values.read(last)
            measured.read(last)
            for trial in part:
                final = {item.name: item.value for item in values.of(trial["number"])}
                steps = [(i.step, i.name, i.value, i.measured_at) for i in measured.of(trial["number"])]
                yield trial_document(trial, final, steps)
        yield from annotation_documents(connection, row["id"])
        chosen = set(HASH.findall(json.dumps(row["settings"])))
        tables = sa.select(*(latency_tables.c[field] for field in TABLE_FIELDS))
        tables = tables.where(latency_tables.c.sha256.in_(chosen)).order_by(latency_tables.c.sha256)
        for table in connection.execute(tables).mappings():
            yield {"latency_table": dict(table)}


class _ByTrial:
    """The rows of a table that hang on trials, read for one stretch of trials at a time."""

    def __init__(self, connection: sa.Connection, table: sa.Table, study_id: int) -> None:
        self._connection, self._table, self._study_id = connection, table, study_id
        self._read = -1
        self._rows: dict[int, list[Any]] = {}

    def read(self, last: int) -> None:
        """Read the rows of the trials after those read before, to `last`."""
        table = self._table
        query = sa.select(table).where(
            table.c.study_id == self._study_id, table.c.number > self._read, table.c.number <= last
        )
        rows = self._connection.execute(query.order_by(*table.primary_key.columns))
        self._rows = {number: list(items) for number, items in groupby(rows, lambda row: int(row.number))}
        self._read = last

    def of(self, number: int) -> list[Any]:
        """Return a trial's rows."""
        return self._rows.get(number, [])


def import_study(database: Database, file: Path, name: str | None) -> str:
    """Read a study from `file` under its own name or `name`, in whole or not at all; return the name.

    Raises ValueError with file and line for what is not as it should be, or a name that is taken.
    """
    if name is not None:
        check_name(name)
    return database.write(lambda connection: _Import(connection, file, name).run())


class _Import:
    """One import: reads line by line, inserts batch by batch, in the transaction of its connection."""

    def __init__(self, connection: sa.Connection, file: Path, name: str | None) -> None:
        self._connection, self._file, self._name = connection, file, name
        self._line = 0
        self._counts = dict.fromkeys((state.lower() for state in TrialState), 0)
        self._told: set[int] = set()
        self._completed: list[tuple[int, dict[str, float]]] = []

    def run(self) -> str:
        """Return the name of the study."""
        with self._file.open("rb") as stream:
            lines = self._lines(stream)
            first = next(lines, None)  # which says itself where it is wrong
            with self._located():
                study, standing, following = read_study(first)
            name = self._name or study["name"]
            if self._connection.scalar(sa.select(studies.c.id).where(studies.c.name == name)) is not None:
                raise ValueError(f"a study {name!r} is stored already; import {self._file} under another name")
            inserted = self._connection.execute(studies.insert().values({**study, "name": name}))
            key = int(inserted.inserted_primary_key[0])  # type: ignore[index]
            self._read_rest(lines, key, study)
            found = sum(self._counts.values())
            if found < following:
                raise ValueError(
                    f"{self._file} is cut short: it holds {found:,} of {following:,} trials; save it again"
                )
        self._connection.execute(fronts.insert(), self._front(key, study)) if self._completed else None
        standing |= {"study_id": key, "change_seq": 1, "lease_number": 0, **self._counts}
        self._connection.execute(progress.insert().values(standing))
        return str(name)

    def _read_rest(self, lines: Iterator[Any], key: int, study: dict[str, Any]) -> None:
        number = 0
        rows: list[dict[str, Any]] = []
        values: list[dict[str, Any]] = []
        steps: list[dict[str, Any]] = []
        for document in lines:
            with self._located():
                if isinstance(document, dict) and "latency_table" in document:
                    self._add_table(read_table(document))
                    continue
                if isinstance(document, dict) and KEY in document:
                    self._insert(rows, values, steps)
                    keep_annotations(self._connection, key, document, number)
                    continue
                row, final, measured = read_trial(document, number, study["space"])
                self._count(row, final)
            rows.append({"study_id": key, "change_seq": 1, **row})
            values += [{"study_id": key, "number": number, "name": n, "value": value} for n, value in final.items()]
            steps += [
                {"study_id": key, "number": number, "step": step, "name": n, "value": value, "measured_at": at}
                for step, n, value, at in measured
            ]
            number += 1
            if len(rows) == BATCH:
                self._insert(rows, values, steps)
        self._insert(rows, values, steps)

    def _insert(self, *batches: list[dict[str, Any]]) -> None:
        for table, batch in zip((trials, metrics, measurements), batches, strict=True):
            if batch:
                self._connection.execute(table.insert(), batch)
                batch.clear()

    def _count(self, row: dict[str, Any], final: dict[str, float]) -> None:
        self._counts[row["state"].lower()] += 1
        if row["told"] is not None:
            if row["told"] in self._told:
                raise ValueError(f"trial {row['number']} finished as number {row['told']}, and so did another one")
            self._told.add(row["told"])
        if row["state"] == TrialState.COMPLETED:
            self._completed.append((row["number"], final))

    def _front(self, key: int, study: dict[str, Any]) -> list[dict[str, int]]:
        objectives = [Objective(metric, direction) for metric, direction in study["objectives"]]
        keep = nondominated(scores(objectives, [final for _, final in self._completed]))
        return [
            {"study_id": key, "number": number} for (number, _), on in zip(self._completed, keep, strict=True) if on
        ]

    def _add_table(self, row: dict[str, Any]) -> None:
        digest = sha256(row["document"].encode()).hexdigest()
        known = sa.select(latency_tables.c.id).where(latency_tables.c.sha256 == digest)
        if self._connection.scalar(known) is None:
            self._connection.execute(latency_tables.insert().values({**row, "sha256": digest}))

    def _lines(self, stream: BinaryIO) -> Iterator[Any]:
        while line := stream.readline(LINE_LIMIT + 1):
            self._line += 1
            with self._located():
                if len(line) > LINE_LIMIT:
                    raise ValueError(f"the line is longer than {LINE_LIMIT >> 20} MiB")
                document = parse_json(line.decode("utf-8"))
            yield document

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Say file and line in what is wrong with a document."""
        try:
            yield
        except ValueError as error:  # a wrong encoding, too
            raise ValueError(f"{self._file}, line {max(self._line, 1)}: {error}") from error
