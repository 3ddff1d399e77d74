"""Latency tables as documents: an exact round trip, and one clear line for a hostile one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.latency_table import LatencyTable
from hardware_models.op import chain, conv2d, elementwise
from tests.hardware_models.tables import ENTRY, PROVENANCE, tables

BLOCK = chain("conv_relu", conv2d((3, 8, 8), 16, 3), elementwise("relu", (16, 8, 8)))
TABLE = LatencyTable({BLOCK: ENTRY}, PROVENANCE)


def changed(path: str, value: Any) -> str:
    """Return the table's document with one member, named by its dotted path, replaced or added."""
    document = json.loads(TABLE.to_json())
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place = document
    for part in parents:
        place = place[part]
    place[last] = value
    return json.dumps(document)


@given(tables)
@settings(max_examples=60)
def test_a_table_comes_back_exactly(table: LatencyTable):
    assert LatencyTable.from_json(table.to_json()) == table
    assert LatencyTable.from_json(table.to_json().encode()) == table


def test_defaults_of_an_operator_are_not_written():
    entry = json.loads(TABLE.to_json())["entries"][0]
    assert entry["op"]["inner"][1] == {"kind": "relu", "inputs": [[16, 8, 8]], "output": [16, 8, 8]}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schema", 2, "schema: expected 1, the schema that this version reads (profile the device again), got 2"),
        ("schema", True, "schema: expected 1"),
        ("extra", 1, "unknown field 'extra'; expected calibration, entries, provenance, schema, validation"),
        ("entries", {}, "entries: expected a list of 0 to 100000 items, got an object"),
        ("entries.0.latency_ms", -1, "entries[0].latency_ms: expected a finite number from 0 to 1e+12, got -1"),
        ("entries.0.latency_ms", True, "entries[0].latency_ms: expected a finite number from 0 to 1e+12, got True"),
        ("entries.0.latency_ms", "1.5", "entries[0].latency_ms: expected a finite number from 0 to 1e+12, got '1.5'"),
        ("entries.0.latency_ms", 10**400, "entries[0].latency_ms: expected a finite number from 0 to 1e+12, got 1000"),
        ("entries.0.latency_ms", None, "entries[0].latency_ms: expected a finite number from 0 to 1e+12, got None"),
        ("entries.0.samples", 1.0, "entries[0].samples: expected an integer from 0 to 1000000000, got 1.0"),
        ("entries.0.minimum_ms", 2, "entries[0]: minimum_ms, quartile_ms and median_ms must ascend, got 2.0, 1.4, 1.5"),
        ("entries.0.halves_ms", [1], "entries[0].halves_ms: expected a list of 2 to 2 items, got a list"),
        ("entries.0.op.kind", "", "entries[0].op.kind: expected a string of 1 to 64 printable characters, got ''"),
        ("entries.0.op.kind", "\x1b[2J", "entries[0].op.kind: expected a string of 1 to 64 printable characters"),
        ("entries.0.op.inputs", [[0]], "entries[0].op.inputs[0][0]: expected an integer from 1 to 2147483648, got 0"),
        ("entries.0.op.bias", 1, "entries[0].op.bias: expected true or false, got 1"),
        ("entries.0.op.inner.0.stride", 0, "entries[0].op.inner[0].stride: expected an integer from 1 to 2147483648"),
        ("entries.0.op.inner", [], "entries[0].op.inner: expected a list of 1 to 256 items, got a list"),
        ("entries.0.op.along", "depth", "entries[0].op.along: expected one of both, height, width, got 'depth'"),
        ("entries.0.op.along", ["both"], "entries[0].op.along: expected one of both, height, width, got a list"),
        ("entries.0.op.heads", 0, "entries[0].op.heads: expected an integer from 1 to 2147483648, got 0"),
        ("entries.0.op.wiring", [[0]], "entries[0].op: a wiring of 1 operators was given for 2"),
        ("entries.0.op.wiring", [[0], [2]], "entries[0].op: relu 16x8x8 -> 16x8x8 reads the values (2,); there are 2"),
        (
            "entries.0.op.wiring",
            [[0], [0]],
            "entries[0].op: relu 16x8x8 -> 16x8x8 reads values of the shapes ((3, 8, 8)",
        ),
        ("entries.0.op.wiring", [[-1], [1]], "entries[0].op.wiring[0][0]: expected an integer from 0 to 512, got -1"),
        ("entries.0.op._type", "os.system", "entries[0].op: unknown field '_type'; expected along, bias, dilation"),
        ("provenance.threads", 0, "provenance.threads: expected an integer from 1 to 1000000000000, got 0"),
        ("provenance.software", {"torch": 2}, "provenance.software.torch: expected a string of 1 to 64"),
        ("provenance.created_at", "yesterday", "provenance.created_at: expected an ISO 8601 time with its offset"),
        ("provenance.created_at", "2026-01-31T12:00:00", "provenance.created_at: expected an ISO 8601 time"),
        ("calibration.scale", -0.1, "calibration.scale: expected a finite number from 0 to 1e+12, got -0.1"),
        ("calibration.validation", {}, "calibration.validation.kendall_tau: is missing"),
        ("validation", {}, "validation.kendall_tau: is missing"),
    ],
)
def test_a_wrong_field_is_named(path: str, value: Any, message: str):
    with pytest.raises(ValueError, match=f"^latency table.*{re.escape(message)}"):
        LatencyTable.from_json(changed(path, value))


def test_a_missing_field_is_named():
    document = json.loads(TABLE.to_json())
    del document["provenance"]["engine"]
    with pytest.raises(ValueError, match=r"^latency table\.provenance\.engine: is missing$"):
        LatencyTable.from_json(json.dumps(document))


def test_an_operator_twice_is_refused():
    document = json.loads(TABLE.to_json())
    document["entries"] *= 2
    with pytest.raises(ValueError, match=r"entries\[1\]\.op: the operator conv_relu 3x8x8 -> 16x8x8 .* stands twice"):
        LatencyTable.from_json(json.dumps(document))


def test_composites_in_composites_without_end_are_refused():
    op: dict[str, Any] = {"kind": "relu", "inputs": [[1]], "output": [1]}
    for _ in range(10):
        op = op | {"inner": [op]}
    with pytest.raises(ValueError, match="expected at most 8 levels of composites, got an object"):
        LatencyTable.from_json(changed("entries.0.op", op))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(number: str):
    text = TABLE.to_json().replace('"latency_ms": 1.5', f'"latency_ms": {number}')
    with pytest.raises(ValueError, match=r"^latency table: not valid JSON: "):
        LatencyTable.from_json(text)


@given(st.text(max_size=50) | st.binary(max_size=50))
def test_anything_else_is_one_clear_line(text: str | bytes):
    with pytest.raises(ValueError, match=r"\Alatency table[^\n]*\Z"):
        LatencyTable.from_json(text)


def test_a_document_without_a_validation_is_read():
    document = json.loads(TABLE.to_json())
    del document["validation"]
    assert LatencyTable.from_json(json.dumps(document)) == TABLE
