"""Stored models of every kind: an exact round trip, and one clear line for a hostile document."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.documents import DeviceModel, load_model
from hardware_models.listed_table import ListedTable
from tests.hardware_models.genotype_tables import ORIGIN, PLAIN, TABLE, learned_tables, listed_tables
from tests.hardware_models.tables import tables

LISTED = ListedTable(PLAIN, ORIGIN, np.ones(12))


@given(tables | learned_tables() | listed_tables())
@settings(max_examples=100)
def test_a_model_comes_back_exactly(model: DeviceModel):
    assert load_model(model.to_json()) == model
    assert load_model(model.to_json().encode()) == model


def test_a_table_from_before_there_was_a_least_latency_is_read():
    document = json.loads(TABLE.to_json())
    del document["least_ms"]
    assert load_model(json.dumps(document)) == TABLE


def changed(model: DeviceModel, path: str, value: Any) -> str:
    """Return a model's document with one member, named by its dotted path, replaced or added."""
    document = json.loads(model.to_json())
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place = document
    for part in parents:
        place = place[part]
    place[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", "pickle", "latency table.format: expected one of learned_table, listed_table, got 'pickle'"),
        ("format", {}, "latency table.format: expected one of learned_table, listed_table, got {}"),
        ("schema", 2, "learned table.schema: expected 1, the schema that this version reads, got 2"),
        ("extra", 1, "learned table: unknown field 'extra'"),
        ("intercept_ms", "5", "learned table.intercept_ms: expected a finite number"),
        ("least_ms", -1, "learned table.least_ms: expected a finite number"),
        ("effects_ms", [[1, 2]], "learned table.effects_ms: expected a list of 3 to 3 items, got a list"),
        ("effects_ms.1", [1, 2], "learned table.effects_ms[1]: expected a list of 3 to 3 items, got a list"),
        ("effects_ms.1.0", None, "learned table.effects_ms[1][0]: expected a finite number"),
        ("space.parents.0", 0, "learned table.space.parents[0]: expected an integer from -1 to -1, got 0"),
        ("space.choices.2", [], "learned table.space.choices[2]: expected a list of 1 to 1000 items, got a list"),
        ("space.decisions.0", "\x1b[2J", "learned table.space.decisions[0]: expected a string of 1 to 200 printable"),
        ("origin.method", "guessed", "learned table.origin.method: expected one of learned, listed, onboarded"),
        ("origin.batch", 0, "learned table.origin.batch: expected an integer from 1"),
        ("origin.created_at", "today", "learned table.origin.created_at: expected an ISO 8601 time with its offset"),
        ("validation", {}, "learned table.validation.folds: is missing"),
        ("pairs", [{"first": 0, "second": 9, "effects_ms": []}], "pairs[0].second: expected an integer from 0 to 2"),
    ],
)
def test_a_wrong_field_is_named(path: str, value: Any, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_model(changed(TABLE, path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("latencies_ms", [1.0], "listed table.latencies_ms: expected a list of 12 to 12 items, got a list"),
        ("latencies_ms.3", -1, "listed table.latencies_ms[3]: expected a finite number from 0 to 1e+12, got -1"),
        ("space.parents.1", 0, "listed table.space: expected a product of choices with at most 250000 networks"),
    ],
)
def test_a_wrong_list_is_named(path: str, value: Any, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_model(changed(LISTED, path, value))


@given(st.text(max_size=50) | st.binary(max_size=50))
def test_anything_else_is_one_clear_line(text: str | bytes):
    with pytest.raises(ValueError, match=r"\Alatency table[^\n]*\Z"):
        load_model(text)
