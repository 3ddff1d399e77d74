"""Latency tables as hardware models."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_models._base import AdditiveModel, HardwareModel, MissingEntry
from hardware_models.calibration import Calibration
from hardware_models.latency_table import LatencyTable
from hardware_models.op import conv2d, elementwise, linear
from hardware_models.validation import compare
from tests.hardware_models.tables import ENTRY, PROVENANCE

times = st.floats(0, 1e3)
CONV, HEAD = conv2d((3, 8, 8), 16, 3), linear((16,), 10)
TABLE = LatencyTable({CONV: ENTRY, HEAD: replace(ENTRY, latency_ms=0.5)}, PROVENANCE)


def test_a_latency_is_the_sum_of_the_entries():
    assert TABLE((CONV, HEAD)) == {"latency_ms": 2.0}


def test_an_operator_that_stands_twice_is_summed_twice():
    assert TABLE((CONV, CONV, HEAD)) == {"latency_ms": 3.5}


def test_the_order_of_operators_does_not_matter():
    relu = elementwise("relu", (16,))
    times = {CONV: 0.1, HEAD: 0.2, relu: 0.3}
    table = replace(TABLE, entries={op: replace(ENTRY, latency_ms=ms) for op, ms in times.items()})
    assert 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1
    assert table.total_ms((CONV, HEAD, relu)) == table.total_ms((relu, HEAD, CONV)) == 0.6


def test_the_calibration_is_applied():
    table = replace(TABLE, calibration=Calibration(scale=2.0, per_layer_ms=0.25, offset_ms=1.0))
    assert table((CONV, HEAD)) == {"latency_ms": 2 * 2.0 + 2 * 0.25 + 1.0}
    assert table.total_ms((CONV, HEAD)) == 2.0


def test_no_operators_cost_the_offset():
    assert replace(TABLE, calibration=Calibration(offset_ms=1.0))(()) == {"latency_ms": 1.0}


def test_a_missing_operator_is_named():
    with pytest.raises(MissingEntry, match=r"the latency table of cpu-x-123456 has no entry for linear 16 -> 100"):
        TABLE((CONV, linear((16,), 100)))


def test_a_table_is_a_hardware_model():
    assert isinstance(TABLE, HardwareModel)
    assert TABLE.metrics == ("latency_ms",)


def test_a_table_crosses_processes():
    assert pickle.loads(pickle.dumps(TABLE)) == TABLE


def test_a_table_that_was_not_validated_is_not_warned_of():
    assert TABLE.warning() is None


def test_the_mark_of_a_bad_table_survives_its_document():
    bad = replace(TABLE, validation=compare([1.0, 2.0], [1.5, 2.0], [[1.5, 2.0], [1.5, 2.0]]))
    assert bad.warning() is not None
    assert LatencyTable.from_json(bad.to_json()).warning() == bad.warning()


@given(
    st.lists(st.sampled_from([CONV, HEAD]), min_size=1, max_size=9),
    st.builds(Calibration, times, times, times, st.floats(-1e3, 1e3)),
)
def test_terms_add_up_to_what_a_call_gives(ops, calibration):
    table = replace(TABLE, calibration=calibration)
    assert isinstance(table, AdditiveModel)
    sums = np.sum([table.terms(op) for op in ops], axis=0)
    assert table.total(np.stack([sums, sums])) == pytest.approx(table(ops)["latency_ms"], rel=1e-12, abs=1e-9)


def test_terms_of_a_missing_operator_are_refused():
    with pytest.raises(MissingEntry, match="has no entry for linear 16 -> 100"):
        TABLE.terms(linear((16,), 100))
