"""Errors of predictions."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hardware_models.validation import ValidationReport, compare


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


GOOD = ValidationReport(
    20, mape=0.05, max_error=0.1, rmse_ms=0.1, kendall_tau=0.92, pearson=0.99, within_5=0.6, within_10=1.0,
    truth_mape=0.02, truth_kendall_tau=0.95,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({}, None),
        ({"mape": 0.051}, "its mean error on 20 networks is 5.1%, the measurements' own halves differ by 2.0%"),
        ({"mape": 0.08, "truth_mape": 0.041}, None),
        ({"mape": 0.09, "truth_mape": 0.041}, "its mean error on 20 networks is 9.0%"),
        ({"mape": 0.06, "truth_mape": None}, "the measurements' own noise is not known"),
        ({"kendall_tau": 0.919}, "it ranks 20 networks with Kendall tau 0.919, their halves with 0.950"),
        ({"kendall_tau": None}, None),
        ({"truth_kendall_tau": None, "kendall_tau": 0.1}, None),
        ({"truth_mape": 0.051}, "the machine was too noisy to tell how good it is: .* differ by 5.1%"),
    ],
)
def test_a_table_that_is_worse_than_its_noise_is_warned_of(change, warning):
    found = replace(GOOD, **change).warning()
    assert found is None if warning is None else re.search(warning, found or "")
