"""The coordinates of genotypes, and the candidates that are drawn around the best."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._candidates import candidates, far_apart, neighbours, spread_over
from search.algorithms._features import Features
from search.algorithms._float_scale import place_of, value_at
from search.algorithms._surrogate import LARGEST, chosen
from spaces.genotype import GenotypeSpace


def distances(space: GenotypeSpace, rows: list[list[float]]) -> list[float]:
    """Return the squared distance of two genotypes in each group."""
    features = Features(space, np.zeros((3, 0)))
    first, second = features(np.array(rows, space.dtype), np.zeros((2, 0)))
    return np.bincount(features.groups, (first - second) ** 2, len(features.prior)).tolist()


def test_choices_are_one_apart_and_counts_say_how_often_each_is_made() -> None:
    space = GenotypeSpace(pg.List([pg.oneof(["a", "b"]), pg.oneof(["a", "b"])]))
    assert distances(space, [[0, 1], [1, 0]]) == pytest.approx([1, 1, 0, 0])
    assert distances(space, [[0, 0], [1, 0]]) == pytest.approx([1, 0, 0.5, 0.5])


def test_numbers_in_order_have_places() -> None:
    assert distances(GenotypeSpace(pg.oneof([3, 5, 7])), [[0], [1]]) == pytest.approx([1, 0.25])


def test_inactive_columns_are_alike_and_apart_from_active_ones() -> None:
    space = GenotypeSpace(pg.oneof([pg.Dict(rate=pg.floatv(0.0, 1.0)), "none"]))
    assert distances(space, [[1, 0], [1, 0]]) == [0, 0]
    assert distances(space, [[0, 0.5], [1, 0]]) == pytest.approx([1, 1])


def test_a_known_score_counts_by_its_rank() -> None:
    space = GenotypeSpace(pg.oneof(["a", "b"]))
    features = Features(space, np.array([[1.0], [10.0], [1000.0]]))
    found = features(np.zeros((4, 1), np.uint8), np.array([[0.0], [1.0], [10.0], [1000.0]]))[:, -1]
    assert found.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("scale", ["linear", "log", "rlog"])
def test_places_on_a_scale_and_values_are_inverse(scale: str) -> None:
    column = GenotypeSpace(pg.floatv(0.01, 4.0, scale=scale)).columns[0]
    places = np.linspace(0, 1, 7)
    assert place_of(column, value_at(column, places)) == pytest.approx(places)
    assert value_at(column, np.array([-1.0, 2.0])).tolist() == pytest.approx([0.01, 4.0])


def test_candidates_are_valid_and_mostly_two_edits_around_the_best() -> None:
    space = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list("abcde")) for i in range(8)}))
    best = space.sample(1, np.random.default_rng(1))
    found = candidates(space, best, 300, np.random.default_rng(0))
    assert space.valid(found).all()
    assert 190 <= ((found != best).sum(axis=1) <= 2).sum() <= 240


def test_neighbours_step_floats_as_well() -> None:
    space = GenotypeSpace(pg.Dict(rate=pg.floatv(0.0, 1.0), kind=pg.oneof(["a", "b"])))
    found = neighbours(space, np.tile([0.5, 0.0], (200, 1)), np.random.default_rng(0))
    assert space.valid(found).all()
    assert (np.abs(found[:, 0] - 0.5) < 0.02).sum() > 50


def test_rows_are_spread_over_values_with_both_ends() -> None:
    values = np.array([5.0, 1.0, 9.0, 3.0, 7.0])
    assert sorted(spread_over(values, 3, np.random.default_rng(0)).tolist()) == [0, 1, 2]
    assert spread_over(values[:0], 3, np.random.default_rng(0)).tolist() == []


def test_rows_are_taken_far_apart() -> None:
    assert far_apart(np.array([[0.0], [1.0], [10.0], [5.0]]), 3).tolist() == [0, 2, 3]


def test_of_many_trials_the_nearest_the_latest_and_some_others_are_chosen() -> None:
    nearness = -np.arange(5000.0)
    found = chosen(nearness)
    assert len(found) == LARGEST
    assert found[: LARGEST // 2].tolist() == list(range(LARGEST // 2))
    assert found[-LARGEST // 4 :].tolist() == list(range(5000 - LARGEST // 4, 5000))
