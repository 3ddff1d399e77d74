"""From sums of operators to whole networks: the affine fit."""

from __future__ import annotations

import numpy as np
import pytest

from hardware_models.calibration import Calibration, fit

TOTALS = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 8.0])
LAYERS = np.array([10, 40, 20, 60, 30, 50])
OPERATORS = np.array([30, 50, 90, 70, 110, 60])


def test_an_exact_relation_is_found():
    measured = 1.2 * TOTALS + 0.01 * LAYERS + 0.002 * OPERATORS + 0.3
    found = fit(TOTALS, LAYERS, OPERATORS, measured, np.stack([measured, measured]))
    assert (found.scale, found.per_layer_ms) == pytest.approx((1.2, 0.01))
    assert (found.per_op_ms, found.offset_ms) == pytest.approx((0.002, 0.3))
    assert found.anchors == 6


def test_anchors_are_validated_by_fits_without_them():
    measured = TOTALS * np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.0])
    report = fit(TOTALS, LAYERS, OPERATORS, measured, np.stack([measured, measured])).validation
    assert report is not None
    assert report.max_error == pytest.approx(0.5)


def test_small_networks_may_cost_less_but_never_less_than_a_quarter_of_their_operators():
    measured = 1.5 * TOTALS - 0.2
    found = fit(TOTALS, LAYERS, OPERATORS, measured, np.stack([measured, measured]))
    assert found.offset_ms == pytest.approx(-0.2)
    assert found(1.0, 0, 0) == pytest.approx(1.3)
    assert found(0.1, 0, 0) == pytest.approx(0.25 * 1.5 * 0.1)


def test_no_work_makes_a_network_faster():
    measured = TOTALS - 0.002 * LAYERS
    found = fit(TOTALS, LAYERS, OPERATORS, measured, np.stack([measured, measured]))
    assert min(found.scale, found.per_layer_ms, found.per_op_ms) >= 0


def test_an_engine_that_fuses_operators_may_be_faster_than_their_sum():
    assert Calibration(scale=0.5)(2.0, 1, 1) == 1.0


def test_relative_errors_count_so_that_small_networks_do():
    measured = np.where(TOTALS < 4, TOTALS, 1.5 * TOTALS)
    found = fit(TOTALS, np.zeros(6), np.zeros(6), measured, np.stack([measured, measured]))
    assert found(0.5, 0, 0) == pytest.approx(0.5, rel=0.35)


def test_the_noise_of_the_anchors_stands_beside():
    report = fit(TOTALS, LAYERS, OPERATORS, TOTALS, np.stack([TOTALS * 0.95, TOTALS * 1.05])).validation
    assert report is not None
    assert report.truth_mape == pytest.approx(0.1)


def test_too_few_anchors_are_refused():
    with pytest.raises(ValueError, match="needs at least 5 measured networks, got 4"):
        fit(TOTALS[:4], LAYERS[:4], OPERATORS[:4], TOTALS[:4], np.stack([TOTALS[:4]] * 2))


def test_without_a_fit_the_sum_stands():
    assert Calibration()(2.5, 7, 9) == 2.5
