"""A latency table as one JSON document, written in one way and read strictly."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hardware_models.calibration import Calibration
from hardware_models.latency_table import Entry, LatencyTable, Provenance
from hardware_models.op import Op, Shape, Wiring
from hardware_models.strict_json import Field, parse
from hardware_models.validation import ValidationReport

SCHEMA = 1
"""Raised when a field changes its meaning; a document of another schema is refused."""

_MOST_ENTRIES = 100_000
_MOST_INNER = 256
_MOST_NESTED = 8
_LARGEST_SIZE = 2**31

_OP_REQUIRED = frozenset({"kind", "inputs", "output"})
_OP_BOUNDS = {"kernel": 0, "stride": 1, "padding": 0, "dilation": 1, "groups": 1, "heads": 1, "window": 0}
_OP_OPTIONAL = frozenset({*_OP_BOUNDS, "along", "bias", "dtype", "inner", "wiring"})
_ENTRY_FIELDS = frozenset(field.name for field in dataclasses.fields(Entry))
_CALIBRATION_FIELDS = frozenset(field.name for field in dataclasses.fields(Calibration))
_REPORT_FIELDS = frozenset(field.name for field in dataclasses.fields(ValidationReport))
_PROVENANCE_FIELDS = frozenset(field.name for field in dataclasses.fields(Provenance))
_PROVENANCE_COUNTS = {"threads": 1, "batch": 1, "rounds": 1, "involuntary_switches": 0}
_PROVENANCE_NUMBERS = ("load_average", "wall_over_cpu", "noise")
_PROVENANCE_TEXTS = ("device", "device_name", "fingerprint", "engine", "engine_version", "dtype", "layout", "clock")


def dump(table: LatencyTable) -> str:
    """Return the document; an operator's fields that have their default value are left out."""
    document = {
        "schema": SCHEMA,
        "provenance": {**dataclasses.asdict(table.provenance), "software": dict(table.provenance.software)},
        "calibration": dataclasses.asdict(table.calibration),
        "validation": None if table.validation is None else dataclasses.asdict(table.validation),
        "entries": [{"op": _dump_op(op), **dataclasses.asdict(entry)} for op, entry in table.entries.items()],
    }
    return json.dumps(document, allow_nan=False)


def load(text: str | bytes) -> LatencyTable:
    """Return the table; see `LatencyTable.from_json`."""
    required = frozenset({"schema", "provenance", "calibration", "entries"})
    document = parse(text, "latency table").members(required, frozenset({"validation"}))
    schema = document["schema"]
    if type(schema.value) is not int or schema.value != SCHEMA:
        schema.refuse(f"{SCHEMA}, the schema that this version reads (profile the device again)")
    provenance = _load_provenance(document["provenance"])
    told = document.get("validation")
    validation = None if told is None or told.value is None else _load_report(told)
    calibration = _load_calibration(document["calibration"])
    return LatencyTable(_load_entries(document["entries"]), provenance, calibration, validation)


def _dump_op(op: Op) -> dict[str, Any]:
    fields = {field.name: getattr(op, field.name) for field in dataclasses.fields(Op) if field.name != "inner"}
    told = {name: value for name, value in fields.items() if name in _OP_REQUIRED or value != _default(name)}
    return told | ({"inner": [_dump_op(inner) for inner in op.inner]} if op.inner else {})


def _default(name: str) -> object:
    return next(field.default for field in dataclasses.fields(Op) if field.name == name)


def _load_entries(field: Field) -> dict[Op, Entry]:
    entries: dict[Op, Entry] = {}
    for item in field.items(_MOST_ENTRIES):
        members = item.members(_ENTRY_FIELDS | {"op"})
        op = _load_op(members["op"])
        if op in entries:
            raise ValueError(f"{item.path}.op: the operator {op} stands twice")
        entries[op] = _load_entry(members, item.path)
    return entries


def _load_entry(members: dict[str, Field], path: str) -> Entry:
    first, second = members["halves_ms"].items(2, 2)
    minimum, quartile, median = (members[name].number() for name in ("minimum_ms", "quartile_ms", "median_ms"))
    if not minimum <= quartile <= median:
        raise ValueError(
            f"{path}: minimum_ms, quartile_ms and median_ms must ascend, got {minimum}, {quartile}, {median}"
        )
    return Entry(
        latency_ms=members["latency_ms"].number(),
        samples=members["samples"].integer(0, 10**9),
        minimum_ms=minimum,
        quartile_ms=quartile,
        median_ms=median,
        halves_ms=(first.number(), second.number()),
    )


def _load_op(field: Field, nesting: int = 0) -> Op:
    if nesting > _MOST_NESTED:
        field.refuse(f"at most {_MOST_NESTED} levels of composites")
    members = field.members(_OP_REQUIRED, _OP_OPTIONAL)
    values: dict[str, Any] = {
        name: members[name].integer(least, _LARGEST_SIZE) for name, least in _OP_BOUNDS.items() if name in members
    }
    if "bias" in members:
        values["bias"] = members["bias"].boolean()
    if "dtype" in members:
        values["dtype"] = members["dtype"].text(32)
    if "along" in members:
        values["along"] = members["along"].choice(("both", "height", "width"))
    if "inner" in members:
        inner = members["inner"].items(_MOST_INNER, 1)
        values["inner"] = tuple(_load_op(item, nesting + 1) for item in inner)
    if "wiring" in members:
        values["wiring"] = _load_wiring(members["wiring"])
    inputs = tuple(_load_shape(item) for item in members["inputs"].items(64))
    kind, output = members["kind"].text(64), _load_shape(members["output"])
    try:
        return Op(kind=kind, inputs=inputs, output=output, **values)
    except ValueError as error:
        raise ValueError(f"{field.path}: {error}") from None


def _load_wiring(field: Field) -> Wiring:
    return tuple(
        tuple(value.integer(0, 2 * _MOST_INNER) for value in item.items(64)) for item in field.items(_MOST_INNER, 1)
    )


def _load_shape(field: Field) -> Shape:
    return tuple(size.integer(1, _LARGEST_SIZE) for size in field.items(8))


def _load_provenance(field: Field) -> Provenance:
    members = field.members(_PROVENANCE_FIELDS)
    values: dict[str, Any] = {name: members[name].text() for name in _PROVENANCE_TEXTS}
    values |= {name: members[name].integer(least, 10**12) for name, least in _PROVENANCE_COUNTS.items()}
    values |= {name: members[name].number() for name in _PROVENANCE_NUMBERS}
    software = {name.text(64): version.text(64) for name, version in members["software"].mapping(64)}
    return Provenance(software=software, created_at=members["created_at"].time(), **values)


def _load_calibration(field: Field) -> Calibration:
    members = field.members(_CALIBRATION_FIELDS)
    anchors = members["anchors"].integer(0, 10**9)
    scale, per_layer_ms, per_op_ms = (members[name].number() for name in ("scale", "per_layer_ms", "per_op_ms"))
    offset_ms = members["offset_ms"].number(-1e12, 1e12)
    validation = None if members["validation"].value is None else _load_report(members["validation"])
    return Calibration(scale, per_layer_ms, per_op_ms, offset_ms, anchors, validation)


def _load_report(field: Field) -> ValidationReport:
    members = field.members(_REPORT_FIELDS)
    correlations = {
        name: _load_optional(members[name], -1.0, 1.0) for name in ("kendall_tau", "pearson", "truth_kendall_tau")
    }
    shares = {name: members[name].number(0.0, 1.0) for name in ("within_5", "within_10")}
    errors = {name: members[name].number() for name in ("mape", "max_error", "rmse_ms")}
    truth_mape = _load_optional(members["truth_mape"], 0.0, 1e12)
    networks = members["networks"].integer(1, 10**9)
    return ValidationReport(networks=networks, truth_mape=truth_mape, **errors, **correlations, **shares)  # type: ignore[arg-type]


def _load_optional(field: Field, least: float, most: float) -> float | None:
    return None if field.value is None else field.number(least, most)
