"""Errors of predictions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hardware_models.validation import compare, kendall_tau


def test_errors_are_relative_to_the_measurement():
    report = compare([1.1, 1.8, 3.0], [1.0, 2.0, 3.0])
    assert (report.networks, report.within_5, report.within_10) == (3, 1 / 3, pytest.approx(2 / 3))
    assert report.mape == pytest.approx(0.2 / 3)
    assert report.max_error == pytest.approx(0.1)
    assert report.rmse_ms == pytest.approx(np.sqrt(0.05 / 3))


def test_a_perfect_prediction():
    report = compare([1.0, 2.0], [1.0, 2.0], [[1.0, 2.2], [1.0, 1.8]])
    assert (report.mape, report.kendall_tau, report.within_5) == (0.0, 1.0, 1.0)
    assert report.pearson == pytest.approx(1.0)
    assert (report.truth_mape, report.truth_kendall_tau) == (pytest.approx(0.1), 1.0)


def test_without_halves_nothing_is_said_of_the_truth():
    assert compare([1.0], [1.0]).truth_mape is None


def test_one_network_has_no_ranking():
    report = compare([1.0], [2.0])
    assert (report.kendall_tau, report.pearson) == (None, None)


def test_equal_predictions_have_no_ranking():
    assert compare([1.0, 1.0], [1.0, 2.0]).kendall_tau is None


def test_kendalls_tau_is_scipys_with_ties_too():
    first, second = np.random.default_rng(0).integers(0, 6, (2, 40)).astype(float)
    assert kendall_tau(first, second) == pytest.approx(stats.kendalltau(first, second).statistic)


@pytest.mark.parametrize(("predicted", "measured"), [([1.0], [1.0, 2.0]), ([], []), ([[1.0]], [[1.0]])])
def test_shapes_that_differ_are_refused(predicted, measured):
    with pytest.raises(ValueError, match=r"expected two \(n,\) arrays of at least one latency"):
        compare(predicted, measured)


def test_halves_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected halves of shape \(2, 1\), got \(1, 2\)"):
        compare([1.0], [1.0], [[1.0, 1.0]])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -1.0])
def test_impossible_measurements_are_refused(bad):
    with pytest.raises(ValueError, match="latencies must be finite and the measured ones above zero"):
        compare([1.0], [bad])
