"""Picks from many objectives: ranks, knee and the best within bounds, with ties and rows that are not finite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.objectives import nondominated
from search.pareto import best_within, knee, nondominated_ranks

NAN = np.nan
FRONT = np.array([[0.0, 10.0], [6.0, 8.0], [9.0, 4.0], [10.0, 0.0], [5.0, 5.0], [NAN, 99.0]])


def test_ranks_peel_front_after_front_and_leave_out_what_is_not_finite() -> None:
    assert nondominated_ranks(FRONT).tolist() == [0, 0, 0, 0, 1, -1]
    assert nondominated_ranks(np.array([[1.0, 1.0], [2.0, 0.0], [1.0, 1.0]])).tolist() == [0, 0, 0]


def test_ranks_of_one_objective_and_of_no_points() -> None:
    assert nondominated_ranks(np.array([[1.0], [3.0], [np.inf], [1.0]])).tolist() == [1, 0, -1, 1]
    assert nondominated_ranks(np.zeros((0, 2))).tolist() == []


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=30))
def test_rank_zero_is_the_front(points: list[tuple[int, int, int]]) -> None:
    values = np.array(points, float)
    assert (nondominated_ranks(values) == 0).tolist() == nondominated(values).tolist()


def test_the_knee_is_farthest_above_the_line_between_the_ends() -> None:
    assert knee(FRONT) == 1
    assert knee(FRONT * [1000.0, 0.001]) == 1  # whatever the units


def test_of_equal_knees_the_first_is_taken() -> None:
    assert knee(np.array([[0.0, 3.0], [2.0, 2.0], [2.0, 2.0], [3.0, 0.0]])) == 1


def test_the_knee_of_one_point_of_an_objective_without_range_and_of_none() -> None:
    assert knee(np.array([[NAN, 1.0], [4.0, 4.0]])) == 1
    assert knee(np.array([[1.0, 5.0, 0.0], [0.0, 5.0, 1.0], [0.8, 5.0, 0.9]])) == 2
    assert knee(np.array([[NAN, 1.0]])) is None


def test_the_best_within_bounds_reaches_them_all() -> None:
    assert best_within(FRONT, 0, {1: 4.0}) == 2
    assert best_within(FRONT, 0, {1: 4.1}) == 1
    assert best_within(FRONT, 1, {}) == 0
    assert best_within(FRONT, 0, {1: 11.0}) is None


def test_of_equal_points_within_bounds_the_first_that_none_of_them_dominates_is_taken() -> None:
    assert best_within(np.array([[5.0, 1.0], [5.0, 3.0], [5.0, 3.0], [4.0, 9.0]]), 0, {}) == 1


def test_an_objective_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no objective 2: expected one from 0 to 1"):
        best_within(FRONT, 0, {2: 1.0})
    with pytest.raises(ValueError, match="the bound of objective 1 is nan: expected a number"):
        best_within(FRONT, 0, {1: NAN})
