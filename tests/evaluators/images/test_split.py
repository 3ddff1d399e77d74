"""Which images go where: exact numbers, fair to the classes, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.images.split import Labelled, assemble, balanced, proportional, statistics, stratified

LABELS = np.repeat([0, 1, 2], [7, 40, 3])


def labelled(labels: np.ndarray) -> Labelled:
    pixels = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(2, 1)
    return Labelled(pixels, labels.astype(np.int64))


def test_parts_are_disjoint_and_complete() -> None:
    parts = stratified(LABELS, (0.5, 0.25, 0.25), np.random.default_rng(1))
    assert sorted(np.concatenate(parts).tolist()) == list(range(50))
    assert [np.bincount(LABELS[part]).tolist() for part in parts] == [[4, 20, 2], [1, 10], [2, 10, 1]]


def test_a_balanced_choice_has_as_many_of_each_class_as_there_are() -> None:
    sizes = {count: np.bincount(LABELS[balanced(LABELS, count, np.random.default_rng(1))]) for count in (9, 20, 99)}
    assert {count: size.tolist() for count, size in sizes.items()} == {9: [3, 3, 3], 20: [7, 10, 3], 99: [7, 40, 3]}


def test_a_proportional_choice_has_the_shares_of_all() -> None:
    chosen = proportional(LABELS, 25, np.random.default_rng(1))
    assert np.bincount(LABELS[chosen]).tolist() == [3, 20, 2]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 60), st.integers(0, 9))
def test_choices_are_exact_and_a_smaller_one_is_part_of_a_larger(labels: list[int], count: int, seed: int) -> None:
    for choose in (balanced, proportional):
        small, large = (choose(np.array(labels), n, np.random.default_rng(seed)).tolist() for n in (count // 2, count))
        assert len(large) == len(set(large)) == min(count, len(labels))
        assert large == sorted(large)
        assert set(small) <= set(large)


def test_validation_images_are_set_aside_and_the_rest_is_limited() -> None:
    data = assemble(3, labelled(LABELS), labelled(LABELS[:5]), val=25, limit=6, normalisation=None)
    assert np.bincount(data.val.labels).tolist() == [4, 20, 1]
    assert np.bincount(data.train.labels).tolist() == [2, 2, 2]
    assert not set(data.train.images[:, 0, 0, 0].tolist()) & set(data.val.images[:, 0, 0, 0].tolist())
    assert len(data.test.labels) == 5


@pytest.mark.parametrize(
    ("val", "limit", "message"),
    [
        (50, None, "val=50 leaves nothing"),
        (-1, None, "got -1 and None"),
        (5, 0, "limit of 1 or more images, got 5 and 0"),
    ],
)
def test_impossible_numbers_are_refused(val: int, limit: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assemble(3, labelled(LABELS), labelled(LABELS), val=val, limit=limit, normalisation=None)


def test_statistics_are_those_of_each_channel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 2), np.uint8)
    found = statistics(pixels)
    assert found.mean == pytest.approx((pixels / 255).mean((0, 1, 2)), rel=1e-12)
    assert found.std == pytest.approx((pixels / 255).std((0, 1, 2)), rel=1e-12)


def test_a_channel_that_never_varies_has_a_deviation() -> None:
    assert statistics(np.full((2, 3, 3, 1), 51, np.uint8)).std == (1 / 255,)
