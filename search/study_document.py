"""A study and a trial as JSON objects: written from their rows, and read back with every field checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from search.fields import Fields, check_float, shown
from search.objectives import Objective, check_metric_name, parse_constraints
from search.study_row import LARGEST_SEED, LARGEST_TRIALS, NAME
from search.study_view import DTYPES
from search.trials import FINISHED, TrialState

FORMAT = "symbolic-nas-search study"
VERSION = 1
LONG_TEXT = 1 << 20
MANY = 1 << 20
STUDY_FIELDS = ("name", "fingerprint", "space", "objectives", "constraints", "algorithm", "settings", "seed",
                "max_trials", "retries", "created_at")  # fmt: skip
PROGRESS_FIELDS = ("updated_at", "state", "reason")
TRIAL_FIELDS = ("number", "state", "attempt", "losses", "seed", "told", "created_at", "started_at", "finished_at",
                "elapsed_s", "worker", "reason")  # fmt: skip
TABLE_FIELDS = ("device", "engine", "threads", "batch", "created_at", "provenance", "document")


def study_document(study: sa.RowMapping, progress: sa.RowMapping) -> dict[str, Any]:
    """Return the first line of a file: what the study is and how it stands."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "study": {name: study[name] for name in STUDY_FIELDS},
        "progress": {name: progress[name] for name in PROGRESS_FIELDS},
        "algorithm_state": json.loads(progress["algorithm_state"]),
        "trials": sum(progress[state.lower()] for state in TrialState),
    }


def trial_document(
    trial: sa.RowMapping, metrics: Mapping[str, float], measurements: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """Return a trial's line: its row, its final metrics, and (step, name, value, time) of what it measured."""
    document = {name: trial[name] for name in TRIAL_FIELDS}
    return {"trial": {**document, "genotype": json.loads(trial["genotype"]), "metrics": dict(metrics),
                      "measurements": [list(item) for item in measurements]}}  # fmt: skip


def read_study(document: Any) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Return the rows of `studies` and `progress` that a file's first line states, and how many trials follow at least.

    Raises ValueError.
    """
    head = Fields(document, "the first line")
    if head.take("format") != FORMAT:
        raise ValueError(f"the first line is not the beginning of an exported study: expected format {FORMAT!r}")
    head.integer("version", VERSION, VERSION)
    row = _read_study_row(head.inner("study"))
    fields = head.inner("progress")
    progress = {
        "updated_at": fields.number("updated_at"),
        "state": fields.choice("state", ("running", "ended")),
        "reason": fields.text("reason", LONG_TEXT),
        "algorithm_state": json.dumps(head.object("algorithm_state"), separators=(",", ":")),
    }
    fields.done()
    following = head.integer("trials", 0, LARGEST_TRIALS) if "trials" in document else 0  # older files do not say
    head.done()
    return row, progress, following


def _read_study_row(fields: Fields) -> dict[str, Any]:
    row = {
        "name": fields.text("name", 128, NAME),
        "fingerprint": fields.text("fingerprint", 64),
        "space": _read_space(fields.inner("space")),
        "objectives": [_read_objective(item) for item in fields.list("objectives", 64)],
        "constraints": [str(item) for item in parse_constraints(fields.list("constraints", 1024))],
        "algorithm": _read_algorithm(fields.object("algorithm")),
        "settings": fields.object("settings"),
        "seed": fields.integer("seed", 0, LARGEST_SEED),
        "max_trials": fields.integer("max_trials", 1, LARGEST_TRIALS),
        "retries": fields.integer("retries", 0, 1000),
        "created_at": fields.number("created_at"),
    }
    fields.done()
    if not row["objectives"]:
        raise ValueError("the study has no objective: expected at least one")
    return row


def _read_algorithm(settings: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(settings.get("name"), str):
        raise ValueError(f"the algorithm's name is {shown(settings.get('name'))}: expected a text")
    return settings


def _read_objective(item: Any) -> list[str]:
    if not (isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item)):
        raise ValueError(f"an objective is {shown(item)}: expected a list of a metric and a direction")
    objective = Objective(*item)
    return [objective.metric, objective.direction]


def _read_space(fields: Fields) -> dict[str, Any]:
    space: dict[str, Any] = {"dtype": fields.choice("dtype", DTYPES), "columns": []}
    for index, item in enumerate(fields.list("columns", MANY)):
        column = Fields(item, f"column {index} of the space")
        space["columns"].append(_read_column(column, index))
        column.done()
    fields.done()
    return space


def _read_column(column: Fields, index: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.text("name", 4096),
        "kind": column.choice("kind", ("choice", "float")),
        "cardinality": column.integer("cardinality", 0, 1 << 32),
        "choices": column.list("choices", MANY),
        "low": column.number("low"),
        "high": column.number("high"),
        "scale": column.text("scale", 32),
        "parent": column.integer("parent", -1, index - 1),
        "parent_choice": column.integer("parent_choice", -1, 1 << 32),
    }
    labels = found["choices"]
    if not all(isinstance(label, str) for label in labels) or len(labels) != found["cardinality"]:
        raise ValueError(f"the choices of column {index} are not {found['cardinality']} texts")
    return found


def read_trial(
    document: Any, number: int, space: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, float], list[Any]]:
    """Return a trial's row, its final metrics and its measurements. Raises ValueError.

    Trials stand in the order of their numbers, so that the next line holds `number`.
    """
    line = Fields(document, "the line")
    fields = line.inner("trial")
    line.done()
    row: dict[str, Any] = {
        "number": fields.integer("number", number, number),
        "state": fields.choice("state", tuple(TrialState)),
        "attempt": fields.integer("attempt", 1, LARGEST_TRIALS),
        "losses": fields.integer("losses", 0, LARGEST_TRIALS),
        "seed": fields.integer("seed", 0, LARGEST_SEED),
        "told": _read_told(fields),
        "created_at": fields.number("created_at"),
        **{name: fields.optional_number(name) for name in ("started_at", "finished_at", "elapsed_s")},
        "worker": fields.text("worker", LONG_TEXT),
        "reason": fields.text("reason", LONG_TEXT),
        "genotype": _read_genotype(fields.list("genotype", MANY), space["columns"]),
    }
    if (row["told"] is not None) != (row["state"] in FINISHED):
        raise ValueError(f"trial {number} is {row['state']}, its place among the finished ones is {row['told']}")
    metrics = {
        check_metric_name(name): check_float(value, f"metric {name!r}")
        for name, value in fields.object("metrics").items()
    }
    measurements = [_read_measurement(item) for item in fields.list("measurements", MANY)]
    if len({(step, name) for step, name, *_ in measurements}) < len(measurements):
        raise ValueError(f"trial {number} has measured a metric twice at one step")
    fields.done()
    return row, metrics, measurements


def _read_told(fields: Fields) -> int | None:
    value = fields.take("told")
    return None if value is None else Fields({"told": value}, "the trial").integer("told", 0, LARGEST_TRIALS)


def _read_genotype(values: list[Any], columns: Sequence[Mapping[str, Any]]) -> str:
    """Return a genotype as it is stored, if each value is one that its column can hold."""
    if len(values) != len(columns):
        raise ValueError(f"the genotype has {len(values)} values: expected {len(columns)}, one for each decision")
    floats = any(column["kind"] == "float" for column in columns)
    for value, column in zip(values, columns, strict=True):
        number = check_float(value, f"decision {column['name']!r}")
        whole = column["kind"] == "float" or number.is_integer()
        if not (whole and column["low"] <= number <= column["high"] and isinstance(value, int) != floats):
            raise ValueError(
                f"decision {column['name']!r} is {shown(value)}: expected a {column['kind']} "
                f"from {column['low']:g} to {column['high']:g}"
            )
    return json.dumps(values, separators=(",", ":"))


def _read_measurement(item: Any) -> tuple[int, str, float, float]:
    if not (isinstance(item, list) and len(item) == 4):
        raise ValueError(f"a measurement is {shown(item)}: expected a list of step, metric, value and time")
    fields = Fields(dict(zip(("step", "name", "value", "time"), item, strict=True)), "a measurement")
    step = fields.integer("step", 0, LARGEST_TRIALS)
    name = check_metric_name(fields.take("name"))
    return step, name, fields.number("value"), fields.number("time")


def read_table(document: Any) -> dict[str, Any]:
    """Return a latency table's row, but for its hash. Raises ValueError."""
    line = Fields(document, "the line")
    fields = line.inner("latency_table")
    line.done()
    row = {
        "device": fields.text("device", 255),
        "engine": fields.text("engine", 128),
        "threads": fields.integer("threads", 0, 1 << 20),
        "batch": fields.integer("batch", 0, 1 << 30),
        "created_at": fields.number("created_at"),
        "provenance": fields.object("provenance"),
        "document": fields.text("document", 1 << 26),
    }
    fields.done()
    return row
