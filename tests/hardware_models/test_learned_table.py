"""What a learned table says of genotypes, whatever its gauge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from hardware_models.learned_table import LearnedTable, PairEffects
from tests.hardware_models.genotype_tables import NESTED, ORIGIN, TABLE, learned_tables


def test_a_latency_is_the_sum_of_its_choices():
    assert TABLE.costs(np.array([[0, 0, 0], [1, 2, 1]])).tolist() == [[6.0], [5.0]]
    assert TABLE.metrics == ("latency_ms",)


def test_pairs_add_to_it():
    paired = replace(TABLE, pairs=(PairEffects(0, 2, ((0.0, 0.25), (0.0, 0.0))),))
    assert paired.costs(np.array([[0, 0, 1], [1, 0, 1]])).tolist() == [[2.25], [4.0]]
    assert (TABLE.entries, paired.entries) == (7, 11)


def test_a_choice_that_is_not_in_force_adds_nothing():
    table = LearnedTable(NESTED, ORIGIN, 1.0, ((2.0, 3.0), (10.0, 20.0)))
    assert table.costs(np.array([[0, 1], [1, 0]])).tolist() == [[23.0], [4.0]]


def test_no_network_takes_less_than_nothing():
    assert replace(TABLE, intercept_ms=-50.0).costs(np.array([[0, 0, 0]])).tolist() == [[0.0]]
    assert replace(TABLE, intercept_ms=-50.0, least_ms=0.25).costs(np.array([[0, 0, 0]])).tolist() == [[0.25]]


def test_no_genotypes_have_no_costs():
    assert TABLE.costs(np.zeros((0, 3))).shape == (0, 1)


def test_relative_to_a_genotype_its_choices_are_zero():
    found = TABLE.relative_to([1, 0, 1])
    assert found.effects_ms == ((-2.0, 0.0), (0.0, 0.5, 1.0), (4.0, 0.0))
    assert found.intercept_ms == 4.0


def test_centred_effects_have_mean_zero():
    assert TABLE.centred().effects_ms == ((-1.0, 1.0), (-0.5, 0.0, 0.5), (2.0, -2.0))


@given(learned_tables())
@settings(max_examples=50)
def test_no_gauge_changes_what_a_table_says(table: LearnedTable):
    rows = table.space.grid()
    rows = np.where(table.space.active(rows), rows, 0)
    first = [0] * table.space.width
    assert table.relative_to(first).costs(rows) == pytest.approx(table.costs(rows), rel=1e-6, abs=1e-3)
    assert table.centred().costs(rows) == pytest.approx(table.costs(rows), rel=1e-6, abs=1e-3)
