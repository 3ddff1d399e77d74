"""Learned and listed tables as JSON documents, written in one way and read strictly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from typing import Any

import numpy as np

from hardware_models.held_out import HeldOut
from hardware_models.learned_table import LearnedTable, PairEffects
from hardware_models.listed_table import MOST_NETWORKS, ListedTable
from hardware_models.space_identity import MOST_CHOICES, MOST_DECISIONS, SpaceIdentity
from hardware_models.strict_json import Field, parse
from hardware_models.table_origin import METHODS, Origin

SCHEMA = 1
"""Raised when a field changes its meaning; a document of another schema is refused."""

LEARNED, LISTED = "learned_table", "listed_table"

_ENVELOPE = frozenset({"format", "schema", "space", "origin", "validation"})
_SPACE = frozenset(field.name for field in dataclasses.fields(SpaceIdentity))
_ORIGIN = frozenset(field.name for field in dataclasses.fields(Origin))
_REPORT = frozenset(field.name for field in dataclasses.fields(HeldOut))
_MOST_MS = 1e12


def dump(table: LearnedTable | ListedTable) -> str:
    """Return the document of either."""
    listed = isinstance(table, ListedTable)
    document: dict[str, Any] = {
        "format": LISTED if listed else LEARNED,
        "schema": SCHEMA,
        "space": dataclasses.asdict(table.space),
        "origin": dataclasses.asdict(table.origin),
        "validation": None if table.validation is None else dataclasses.asdict(table.validation),
    }
    if isinstance(table, ListedTable):
        document["latencies_ms"] = table.latencies_ms.tolist()
    else:
        document["intercept_ms"], document["effects_ms"] = table.intercept_ms, table.effects_ms
        document["least_ms"] = table.least_ms
        document["pairs"] = [dataclasses.asdict(pair) for pair in table.pairs]
    return json.dumps(document, allow_nan=False)


def load_learned(text: str | bytes) -> LearnedTable:
    """Return the table of a document from outside. Raises ValueError, one line that names the field."""
    members = _envelope(text, LEARNED, {"intercept_ms", "effects_ms", "pairs"}, {"least_ms"})
    space, origin, validation = _parts(members)
    effects = members["effects_ms"].items(space.width, space.width)
    rows = tuple(_numbers(row, count, -_MOST_MS) for row, count in zip(effects, space.cardinalities, strict=True))
    pairs = tuple(_pair(item, space) for item in members["pairs"].items(MOST_DECISIONS**2))
    intercept = members["intercept_ms"].number(-_MOST_MS, _MOST_MS)
    least = members["least_ms"].number(0.0, _MOST_MS) if "least_ms" in members else 0.0
    return LearnedTable(space, origin, intercept, rows, pairs, validation, least)


def load_listed(text: str | bytes) -> ListedTable:
    """Return the table of a document from outside. Raises ValueError, one line that names the field."""
    members = _envelope(text, LISTED, {"latencies_ms"})
    space, origin, validation = _parts(members)
    count = space.grid_size
    if count is None or count > MOST_NETWORKS:
        members["space"].refuse(f"a product of choices with at most {MOST_NETWORKS} networks")
    return ListedTable(space, origin, np.array(_numbers(members["latencies_ms"], count, 0.0)), validation)


def _envelope(text: str | bytes, kind: str, own: set[str], newer: Collection[str] = ()) -> dict[str, Field]:
    """Return a document's members; it may lack `newer`, which once were not written."""
    members = parse(text, kind.replace("_", " ")).members(_ENVELOPE | own, frozenset(newer))
    if members["format"].value != kind:
        members["format"].refuse(f"{kind!r}")
    schema = members["schema"]
    if type(schema.value) is not int or schema.value != SCHEMA:
        schema.refuse(f"{SCHEMA}, the schema that this version reads")
    return members


def _parts(members: dict[str, Field]) -> tuple[SpaceIdentity, Origin, HeldOut | None]:
    validation = members["validation"]
    return (
        _space(members["space"]),
        _origin(members["origin"]),
        None if validation.value is None else _report(validation),
    )


def _space(field: Field) -> SpaceIdentity:
    members = field.members(_SPACE)
    decisions = members["decisions"].items(MOST_DECISIONS, 1)
    width = len(decisions)
    parents = [item.integer(-1, index - 1) for index, item in enumerate(members["parents"].items(width, width))]
    return SpaceIdentity(
        name=members["name"].text(),
        fingerprint=members["fingerprint"].text(128),
        decisions=tuple(item.text() for item in decisions),
        choices=tuple(_labels(item) for item in members["choices"].items(width, width)),
        parents=tuple(parents),
        parent_choices=tuple(item.integer(-1, MOST_CHOICES) for item in members["parent_choices"].items(width, width)),
    )


def _labels(field: Field) -> tuple[str, ...]:
    return tuple(item.text(10_000) for item in field.items(MOST_CHOICES, 1))


def _origin(field: Field) -> Origin:
    members = field.members(_ORIGIN)
    if members["method"].value not in METHODS:
        members["method"].refuse(f"one of {', '.join(METHODS)}")
    if members["sha256"].value != "":
        members["sha256"].text(64)
    return Origin(
        device=members["device"].text(),
        engine=members["engine"].text(),
        batch=None if members["batch"].value is None else members["batch"].integer(1, 10**9),
        method=members["method"].text(),
        source=members["source"].text(500),
        sha256=str(members["sha256"].value),
        networks=members["networks"].integer(0, 10**12),
        created_at=members["created_at"].time(),
    )


def _report(field: Field) -> HeldOut:
    members = field.members(_REPORT)
    ranks = {
        name: None if members[name].value is None else members[name].number(-1.0, 1.0)
        for name in ("kendall_tau", "spearman")
    }
    errors = {name: members[name].number() for name in ("mape", "median_error", "rmse_ms")}
    networks, folds = (members[name].integer(1, 10**12) for name in ("networks", "folds"))
    return HeldOut(networks=networks, folds=folds, **errors, **ranks)  # type: ignore[arg-type]


def _pair(field: Field, space: SpaceIdentity) -> PairEffects:
    members = field.members(frozenset({"first", "second", "effects_ms"}))
    first = members["first"].integer(0, space.width - 1)
    second = members["second"].integer(0, space.width - 1)
    count = space.cardinalities[first]
    rows = members["effects_ms"].items(count, count)
    return PairEffects(first, second, tuple(_numbers(row, space.cardinalities[second], -_MOST_MS) for row in rows))


def _numbers(field: Field, count: int, least: float) -> tuple[float, ...]:
    return tuple(item.number(least, _MOST_MS) for item in field.items(count, count))
