"""Expected hypervolume improvement against the hypervolume itself."""

from __future__ import annotations

import numpy as np
import pytest

from search.algorithms._improvement import boxes, expected_excess, expected_improvement
from search.objectives import hypervolume

RNG = np.random.default_rng(0)


def gain(front: np.ndarray, point: np.ndarray, reference: np.ndarray) -> float:
    both = np.concatenate([front, point[None, :]])
    return hypervolume(both, reference.tolist()) - hypervolume(front, reference.tolist())


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_without_deviation_it_is_the_hypervolume_gained(objectives: int) -> None:
    reference = np.full(objectives, 0.2)
    for size in (0, 1, 7):
        front = RNG.random((size, objectives))
        asked = RNG.random((20, objectives)) * 1.3
        found = expected_improvement(asked, np.zeros(asked.shape), *boxes(front, reference))
        assert found == pytest.approx([gain(front, point, reference) for point in asked], abs=1e-12)


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_it_is_the_mean_of_what_normal_draws_gain(objectives: int) -> None:
    reference, front = np.zeros(objectives), RNG.random((5, objectives))
    mean, deviation = np.full(objectives, 0.6), np.full(objectives, 0.3)
    deviation[-1] = 0.0 if objectives > 1 else 0.3
    draws = mean + deviation * RNG.standard_normal((20_000, objectives))
    drawn = expected_improvement(draws, np.zeros(draws.shape), *boxes(front, reference))
    found = expected_improvement(mean[None, :], deviation[None, :], *boxes(front, reference))
    assert found[0] == pytest.approx(drawn.mean(), abs=5 * drawn.std() / len(drawn) ** 0.5)


def test_equal_points_and_points_below_the_reference_change_nothing() -> None:
    front, asked = np.array([[0.5, 0.5]]), np.array([[0.7, 0.6]])
    more = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, -1.0], [0.4, 0.5]])
    reference = np.zeros(2)
    found = [expected_improvement(asked, np.zeros((1, 2)), *boxes(of, reference))[0] for of in (front, more)]
    assert found == pytest.approx([0.17, 0.17])


def test_excess_over_an_infinite_level_is_none() -> None:
    assert expected_excess(np.array([1.0]), np.array([0.5]), np.array([np.inf])).tolist() == [0.0]
    assert expected_excess(np.array([1.0]), np.array([0.0]), np.array([-1.0, 2.0])).tolist() == [2.0, 0.0]
