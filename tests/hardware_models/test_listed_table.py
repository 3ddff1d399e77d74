"""Tables that list every network of a space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hardware_models.listed_table import ListedTable, can_be_listed
from tests.hardware_models.genotype_tables import NESTED, ORIGIN, PLAIN

TABLE = ListedTable(PLAIN, ORIGIN, np.arange(12.0))


def test_a_latency_is_the_listed_one():
    assert TABLE.costs(np.array([[0, 0, 0], [0, 2, 1], [1, 2, 1]])).tolist() == [[0.0], [5.0], [11.0]]
    assert (TABLE.metrics, TABLE.entries) == (("latency_ms",), 12)


def test_rows_of_another_space_are_refused():
    with pytest.raises(ValueError, match="decision op has 2 choices from 0, got 2"):
        TABLE.costs(np.array([[0, 0, 2]]))


def test_equal_tables_are_equal():
    assert ListedTable(PLAIN, ORIGIN, np.arange(12.0)) == TABLE
    assert ListedTable(PLAIN, ORIGIN, np.arange(12.0) + 1) != TABLE
    assert TABLE != "a table"


def test_only_small_products_of_choices_are_listed():
    large = replace(PLAIN, choices=(tuple(map(str, range(100))),) * 3)
    assert [can_be_listed(space) for space in (PLAIN, NESTED, large)] == [True, False, False]
