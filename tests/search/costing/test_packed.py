"""Sums of rows in single precision that are as exact as double."""

from __future__ import annotations

from math import fsum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.costing.merging import MOST_ROWS, Table, merged
from search.costing.packed import SMALLEST, PackedSums, split
from search.costing.rows import RowsByPairs, RowsByWeights

CASES = settings(max_examples=40)
numbers = st.floats(-1e12, 1e12, allow_subnormal=False) | st.integers(0, 2**40).map(float)
SIDES = (3, 2, 5, 4, 2, 6)


def tables(seed: int, groups: tuple[tuple[int, ...], ...]) -> list[Table]:
    rng = np.random.default_rng(seed)
    return [Table(each, rng.uniform(0.1, 1.0, (*(SIDES[column] for column in each), 2))) for each in groups]


def rows(count: int = 500) -> np.ndarray:
    return (np.random.default_rng(1).random((count, len(SIDES))) * SIDES).astype(np.uint8)


def expected(all_tables: list[Table], genotypes: np.ndarray) -> np.ndarray:
    return sum(table.values[tuple(genotypes[:, list(table.columns)].T)] for table in all_tables)


@CASES
@given(st.lists(st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=30))
def test_pieces_of_any_numbers_add_up(columns: list[list[float]]) -> None:
    values = [np.array(column)[:, None] for column in columns]
    pieces = np.concatenate(split(values), axis=1)
    starts = np.cumsum([0, *(len(each) for each in values[:-1])])
    sums = pieces[starts].sum(axis=0, dtype=np.float32)
    scale = max(SMALLEST, sum(np.abs(each).max() for each in values))
    assert fsum(sums.tolist()) == pytest.approx(fsum(each[0, 0] for each in values), rel=1e-11, abs=1e-15 * scale)


@CASES
@given(st.lists(st.integers(0, 2**36), min_size=1, max_size=16))
def test_whole_numbers_stay_exact(counts: list[int]) -> None:
    pieces = np.concatenate(split([np.array([[float(count)]]) for count in counts]), axis=1)
    assert fsum(pieces.sum(axis=0, dtype=np.float32).tolist()) == sum(counts)


@pytest.mark.parametrize("groups", [((0,), (1,), (3,), (4, 5)), ((0, 1), (), (2, 3))])
def test_pairs_and_weights_find_the_same_rows(groups: tuple[tuple[int, ...], ...]) -> None:
    some = tables(0, groups)
    assert RowsByPairs.suits(some, SIDES, np.dtype(np.uint8))
    for of in (RowsByPairs(some, SIDES), RowsByWeights(some, len(SIDES))):
        np.testing.assert_allclose(PackedSums(of)(rows()), expected(some, rows()), rtol=1e-11)


def test_tables_over_several_pairs_do_not_suit_pairs() -> None:
    assert not RowsByPairs.suits(tables(0, ((0,), (1, 2))), SIDES, np.dtype(np.uint8))
    assert not RowsByPairs.suits(tables(0, ((0,),)), SIDES, np.dtype(np.uint16))


def test_more_rows_than_a_chunk_and_no_rows_are_summed() -> None:
    some = tables(0, ((0, 3), (5,)))
    sums = PackedSums(RowsByWeights(some, len(SIDES)))
    many = rows(40_000)
    np.testing.assert_allclose(sums(many), expected(some, many), rtol=1e-11)
    assert sums(many[:0]).shape == (0, 2)


def test_merged_tables_add_up_to_the_same() -> None:
    some = tables(3, ((0, 1), (1, 2), (3, 4, 5), (), (5,), (0, 5)))
    found = merged(some)
    assert len(found) == 2
    assert max(table.rows for table in found) <= MOST_ROWS
    np.testing.assert_allclose(expected(found, rows()), expected(some, rows()), rtol=1e-12)
