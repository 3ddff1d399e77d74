"""Two devices side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hardware_models.comparison import compare_models
from hardware_models.imported_table import plain_entry
from hardware_models.latency_table import LatencyTable
from hardware_models.op import elementwise
from tests.hardware_models.genotype_tables import NESTED, TABLE
from tests.hardware_models.tables import PROVENANCE


def table(*latencies: float, start: int = 1) -> LatencyTable:
    entries = {elementwise("relu", (size,)): plain_entry(latency) for size, latency in enumerate(latencies, start)}
    return LatencyTable(entries, PROVENANCE)


def test_operators_of_both_are_compared():
    found = compare_models(table(1.0, 2.0, 3.0, 4.0), table(4.0, 9.0, 8.0, 5.0, start=2))
    assert (found.of, found.common, found.only_first, found.only_second) == ("operators", 3, 1, 1)
    assert (found.median, found.least, found.most) == (2.0, 2.0, 3.0)
    assert found.geometric_mean == pytest.approx(12 ** (1 / 3))
    assert (found.spearman, found.kendall_tau) == (pytest.approx(0.5), pytest.approx(1 / 3))
    assert [(one.what, one.first_ms, one.second_ms) for one in found.largest[:1]] == [("relu 3 -> 3", 3.0, 9.0)]


def test_what_takes_no_time_is_left_out_of_ratios():
    found = compare_models(table(0.0, 2.0, 3.0), table(1.0, 4.0, 6.0))
    assert (found.common, found.median, found.most) == (3, 2.0, 2.0)


def test_networks_of_one_space_are_compared():
    double = replace(TABLE, intercept_ms=10.0, effects_ms=tuple(tuple(2 * e for e in row) for row in TABLE.effects_ms))
    found = compare_models(TABLE, double)
    assert (found.of, found.common) == ("networks", 12)
    assert (found.least, found.most) == (pytest.approx(2.0), pytest.approx(2.0))
    assert found.spearman == pytest.approx(1.0)


def test_models_with_nothing_in_common_are_refused():
    with pytest.raises(ValueError, match="the models have no operators in common that take time"):
        compare_models(table(1.0), table(1.0, start=9))
    with pytest.raises(ValueError, match="of operators and a model of whole networks have nothing in common"):
        compare_models(table(1.0), TABLE)
    with pytest.raises(ValueError, match=r"of different spaces: plain \(f1\) and nested \(f2\)"):
        compare_models(TABLE, replace(TABLE, space=NESTED))
