"""The predictor's Gaussian process: against the textbook formulas, and its fit's gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest

from search.algorithms._gaussian_process import (
    JITTER,
    Hyperparameters,
    Posterior,
    _group_distances,
    _negative_log_posterior,
    covariances,
    fit,
)

GROUPS = np.array([0, 0, 1])
GIVEN = Hyperparameters(np.array([0.7, 0.2]), 0.05)


def points(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3))


def test_mean_and_variance_are_those_of_the_textbook() -> None:
    known, asked, targets = points(20), points(5, 1), points(20, 2)[:, 0]
    posterior = Posterior(GROUPS, GIVEN, 20)
    posterior.begin(known)
    across = posterior.covariance(posterior.scaled(asked))
    scales = np.sqrt(GIVEN.weights)[GROUPS]
    inverse = np.linalg.inv(covariances(known * scales, known * scales) + (0.05 + JITTER) * np.eye(20))
    exact = covariances(asked * scales, known * scales)
    assert across @ posterior.solved(posterior.whitened_targets(targets)) == pytest.approx(
        exact @ inverse @ targets, abs=1e-5
    )
    left = 1 - (posterior.whitened(across) ** 2).sum(axis=1)
    assert left == pytest.approx(1 - np.einsum("ij,jk,ik->i", exact, inverse, exact), abs=1e-5)


def test_points_added_one_by_one_are_as_if_all_had_come_at_once() -> None:
    at_once, one_by_one = Posterior(GROUPS, GIVEN, 30), Posterior(GROUPS, GIVEN, 30)
    at_once.begin(points(30))
    one_by_one.begin(points(30)[:10])
    for row in points(30)[10:]:
        one_by_one.add(row)
    targets = points(30, 3)[:, 0]
    assert one_by_one.whitened_targets(targets) == pytest.approx(at_once.whitened_targets(targets), abs=1e-9)


def test_the_gradient_is_that_of_differences() -> None:
    targets = points(15, 4)[:, 0] - points(15, 4)[:, 0].mean()
    distances, middle, at = _group_distances(points(15), GROUPS, 2), np.zeros(3), np.array([-0.5, 0.3, -2.0])
    gradient = _negative_log_posterior(at, distances, targets, middle)[1]
    for index, step in enumerate(1e-6 * np.eye(3)):
        ahead, behind = (_negative_log_posterior(at + s, distances, targets, middle)[0] for s in (step, -step))
        assert gradient[index] == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)


def test_a_fit_finds_the_group_that_matters() -> None:
    known = points(60)
    start = Hyperparameters(np.array([0.3, 0.3]), 1e-2)
    found = fit(known, GROUPS, np.sin(2 * known[:, 2]), start, start)
    assert found.weights[1] > 20 * found.weights[0]
    assert found.noise < 0.01


def test_equal_targets_and_equal_points_are_fitted() -> None:
    start = Hyperparameters(np.array([0.3, 0.3]), 1e-2)
    found = fit(np.ones((12, 3)), GROUPS, np.zeros(12), start, start)
    assert np.isfinite(found.weights).all()
    assert 0 < found.noise <= 1


def test_hyperparameters_come_back_exactly_from_json() -> None:
    given = Hyperparameters(np.array([1 / 3, 2**-30]), 0.1)
    back = Hyperparameters.from_json(given.to_json())
    assert (back.weights.tolist(), back.noise) == (given.weights.tolist(), given.noise)
