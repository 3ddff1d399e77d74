"""The project's own CSV of operators: every field of an operator a column, and `latency_ms`."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

from hardware_models.documents import DeviceModel
from hardware_models.imported_table import Entries, imported, plain_entry
from hardware_models.latency_table import Entry, LatencyTable
from hardware_models.latency_table_json import dump
from hardware_models.op import Op
from hardware_models.text_file import Row, latency_column, read_csv

_OP = tuple(field.name for field in dataclasses.fields(Op))
_SPREAD = ("samples", "minimum_ms", "quartile_ms", "median_ms", "halves_ms")
_ABOUT = ("provenance", "calibration", "validation")


def recognises(head: str) -> bool:
    """Return whether a file that begins like this is of this format."""
    return {"kind", "inputs", "output"} <= set(head.partition("\n")[0].replace(" ", "").split(","))


def write(table: LatencyTable, path: Path) -> None:
    """Write a table, which `read` gives back exactly."""
    document = json.loads(dump(table))
    text = io.StringIO()
    for name in _ABOUT:
        text.write(f"# {name}: {json.dumps(document[name])}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_OP, "latency_ms", *_SPREAD])
    for item in document["entries"]:
        cells = [_cell(name, item["op"].get(name)) for name in _OP]
        writer.writerow([*cells, *(json.dumps(item[name]) for name in ("latency_ms", *_SPREAD))])
    path.write_text(text.getvalue(), encoding="utf-8")


def read(path: Path, *, device: str = "") -> list[DeviceModel]:
    """Return the table; what lines before the columns say of its origin is kept, else all but the device is unknown.

    Columns beyond `kind`, `inputs`, `output` and the latency may be left out; so may cells, for a field's usual value.

    Raises:
      ValueError: with file and line, for an operator twice, an unknown column, a latency that is none or has no unit.
    """
    comments, columns, rows = read_csv(path)
    latency, per_ms = latency_column(path, columns)
    for name in columns:
        if name not in (*_OP, *_SPREAD, latency):
            raise ValueError(f"{path}:{len(comments) + 1}: unknown column {ascii(name)[:60]}; expected {_known()}")
    found, about = Entries(path), _about(path, comments)
    origin = dataclasses.asdict(imported(path, device or "unknown", "unknown", 1, {}))
    for row in rows:
        found.add(row.line, *_entry(row, row.latency(latency, per_ms, zero=True), origin))
    if "provenance" not in about:
        return [found.table(device or path.name.partition(".")[0])]
    return [_with_origin(path, found, about, device)]


def _known() -> str:
    return ", ".join((*_OP, "latency_ms", *_SPREAD))


def _cell(name: str, value: Any) -> str:
    """Return a field of an operator as text; empty for its usual value."""
    if value is None:
        return ""
    if name == "inputs":
        return " + ".join(map(_shape_text, value))
    if name == "output":
        return _shape_text(value)
    return value if isinstance(value, str) else json.dumps(value)


def _shape_text(shape: list[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _value(row: Row, name: str) -> Any:
    """Return a field of an operator as its JSON document holds it; None for its usual value."""
    cell = row.text(name, "")
    if name == "inputs":
        return [_shape(row, name, part) for part in cell.split("+")] if cell else []
    if name == "output":
        return _shape(row, name, cell)
    if name in ("kind", "dtype", "along") or not cell:
        return cell or None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        row.refuse(f"{name}: expected a number, true, false or a list, got {ascii(cell)[:60]}")


def _shape(row: Row, name: str, text: str) -> list[int]:
    sizes = [] if text.strip() == "scalar" else text.strip().split("x")
    if not all(size.isascii() and size.isdecimal() and len(size) < 20 for size in sizes):
        row.refuse(f"{name}: expected a shape like 16x32x32, got {ascii(text.strip())[:60]}")
    return [int(size) for size in sizes]


def _entry(row: Row, latency_ms: float, origin: dict[str, Any]) -> tuple[Op, Entry]:
    """Return a row's operator and entry, by the reader of documents, which knows what each field may be."""
    op = {name: value for name in _OP if (value := _value(row, name)) is not None}
    plain = dataclasses.asdict(plain_entry(latency_ms))
    told = {name: _number(row, name) for name in _SPREAD if row.text(name, "")}
    try:
        [(found, entry)] = LatencyTable.from_json(_document({"op": op, **plain, **told}, origin)).entries.items()
    except (ValueError, RecursionError) as error:
        row.refuse(str(error).removeprefix("latency table.entries[0].").removeprefix("latency table.entries[0]: "))
    return found, entry


def _number(row: Row, name: str) -> Any:
    try:
        return json.loads(row.text(name))
    except (ValueError, RecursionError):
        row.refuse(f"{name}: expected a number, or two in brackets, got {ascii(row.text(name))[:60]}")


def _document(entry: dict[str, Any] | None, provenance: Any, calibration: Any = None) -> str:
    usual = {"scale": 1.0, "per_layer_ms": 0.0, "per_op_ms": 0.0, "offset_ms": 0.0, "anchors": 0, "validation": None}
    entries = [] if entry is None else [entry]
    return json.dumps({"schema": 1, "provenance": provenance, "calibration": calibration or usual, "entries": entries})


def _about(path: Path, comments: tuple[str, ...]) -> dict[str, Any]:
    """Return what the lines before the columns say: JSON after `# provenance:` and `# calibration:`."""
    about = {}
    for line, comment in enumerate(comments, 1):
        name, colon, text = comment.removeprefix("#").strip().partition(":")
        if colon and name in _ABOUT:
            try:
                about[name] = json.loads(text)
            except (ValueError, RecursionError):
                raise ValueError(f"{path}:{line}: {name}: expected JSON, got {ascii(text.strip())[:60]}") from None
    return about


def _with_origin(path: Path, found: Entries, about: dict[str, Any], device: str) -> LatencyTable:
    try:
        document = json.loads(_document(None, about["provenance"], about.get("calibration")))
        origin = LatencyTable.from_json(json.dumps(document | {"validation": about.get("validation")}))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    provenance = dataclasses.replace(origin.provenance, device=device) if device else origin.provenance
    return LatencyTable(found.entries, provenance, origin.calibration, origin.validation)
