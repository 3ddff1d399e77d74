"""Constrained non-dominated ranks, crowding distances and the archive that algorithms keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.algorithms._base import Results
from search.algorithms._fronts import Archive, crowding, ranks

INF = np.inf


def archive(scores: list[list[float]], violations: list[float], *, newer_wins: bool = False) -> list[int]:
    """Return which rows an archive keeps, in its order."""
    kept = Archive(1, np.dtype(np.uint8), len(scores[0]), newer_wins=newer_wins)
    rows = np.arange(len(scores), dtype=np.uint8)[:, None]
    kept.learn(Results(rows, np.array(scores, float), np.array(violations, float)))
    return kept.genotypes[:, 0].tolist()


def test_ranks_of_two_objectives_peel_one_front_after_another() -> None:
    scores = np.array([[3.0, 1.0], [1.0, 3.0], [2.0, 1.0], [1.0, 1.0], [3.0, 1.0]])
    assert ranks(scores, np.zeros(5)).tolist() == [0, 0, 1, 2, 0]


def test_ranks_of_one_objective_are_its_order_and_equal_points_share_one() -> None:
    assert ranks(np.array([[1.0], [3.0], [2.0], [3.0]]), np.zeros(4)).tolist() == [2, 0, 1, 0]


def test_points_that_violate_come_after_all_others_by_their_violation_alone() -> None:
    scores = np.array([[1.0, 1.0], [9.0, 9.0], [np.nan, np.nan], [0.0, 0.0], [5.0, 5.0]])
    assert ranks(scores, np.array([0.0, 0.5, 0.1, 0.0, 0.5])).tolist() == [0, 3, 2, 1, 3]


def test_ranks_of_nothing_and_of_points_that_all_violate() -> None:
    assert ranks(np.zeros((0, 2)), np.zeros(0)).tolist() == []
    assert ranks(np.zeros((2, 2)), np.array([2.0, 1.0])).tolist() == [1, 0]


def test_crowding_is_the_gap_between_neighbours_over_the_range_and_infinite_at_the_ends() -> None:
    scores = np.array([[0.0, 4.0], [1.0, 3.0], [3.0, 2.0], [4.0, 0.0]])
    assert crowding(scores, np.zeros(4)).tolist() == [INF, 3 / 4 + 2 / 4, 3 / 4 + 3 / 4, INF]


def test_crowding_is_within_a_front() -> None:
    scores = np.array([[0.0, 2.0], [7.0, 7.0], [1.0, 1.0], [2.0, 0.0]])
    assert crowding(scores, np.array([1, 0, 1, 1])).tolist() == [INF, INF, 2.0, INF]


def test_an_objective_without_range_adds_nothing_to_the_crowding_of_those_between() -> None:
    assert crowding(np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]), np.zeros(3))[1] == 1.0


def test_an_archive_keeps_what_nothing_dominates_in_the_order_of_joining() -> None:
    assert archive([[1, 1], [3, 0], [0, 3], [2, 2], [0, 1]], [0] * 5) == [1, 2, 3]


@pytest.mark.parametrize(("newer_wins", "kept"), [(False, [0]), (True, [1])])
def test_of_equal_points_an_archive_keeps_the_older_or_the_newer(newer_wins: bool, kept: list[int]) -> None:
    assert archive([[1, 2], [1, 2]], [0, 0], newer_wins=newer_wins) == kept
    assert archive([[1, 2], [5, 5]], [0.5, 0.5], newer_wins=newer_wins) == kept


def test_an_archive_prefers_the_least_violation_and_then_any_point_without() -> None:
    assert archive([[9], [np.nan], [8]], [2.0, 1.0, 3.0]) == [1]
    assert archive([[9], [np.nan], [1]], [2.0, 1.0, 0.0]) == [2]


def test_an_archive_passes_over_points_without_scores() -> None:
    assert archive([[np.nan, 1], [1, 1], [INF, np.nan]], [0, 0, 0]) == [1]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40), st.booleans())
def test_an_archive_holds_the_distinct_points_of_the_first_front(points: list[tuple[int, int]], newer: bool) -> None:
    scores = np.array(points, float)
    kept = archive(scores.tolist(), [0.0] * len(points), newer_wins=newer)
    first = {point for point, rank in zip(points, ranks(scores, np.zeros(len(points))), strict=True) if rank == 0}
    assert sorted(points[row] for row in kept) == sorted(first)
