"""Estimates from the fastest visits."""

from __future__ import annotations

import numpy as np
import pytest

from hardware_models.fastest import estimate_ms, halves_ms, relative_differences, split_half_error, spreads
from hardware_models.sampling import Visits


def one_workload(*times_ms: float) -> Visits:
    """Return a visit to one workload in each round, of a fast and a slow sample."""
    return Visits([0] * len(times_ms), list(range(len(times_ms))), [[2 * time_ms, time_ms] for time_ms in times_ms])


def test_the_fastest_two_fifths_of_visits_count():
    assert estimate_ms(one_workload(9.0, 1.0, 7.0, 2.0, 8.0), 1) == pytest.approx([1.5])


def test_slow_spells_do_not_count():
    steady, disturbed = one_workload(*[1.0] * 10), one_workload(*[1.0, 1.4] * 5)
    assert estimate_ms(disturbed, 1) == pytest.approx(estimate_ms(steady, 1))


def test_a_single_visit_counts():
    assert estimate_ms(one_workload(3.0), 1) == pytest.approx([3.0])


def test_halves_are_of_different_rounds():
    assert halves_ms(one_workload(1.0, 3.0, 1.0, 3.0), 1) == pytest.approx(np.array([[1.0], [3.0]]))


def test_what_was_never_accepted_has_no_time():
    made = Visits([0, 1, 0, 1], [0, 0, 1, 1], [[1.0], [], [1.0], []])
    assert estimate_ms(made, 2) == pytest.approx([1.0, np.nan], nan_ok=True)
    assert halves_ms(made, 2)[:, 1] == pytest.approx([np.nan, np.nan], nan_ok=True)
    assert spreads(made, 2) == pytest.approx([0.0, np.nan], nan_ok=True)


def test_the_spread_is_of_the_visits_that_count():
    assert spreads(one_workload(1.0, 1.1, 5.0, 6.0, 7.0), 1) == pytest.approx([0.1])


def test_differences_are_relative():
    assert relative_differences(np.array([[1.0, 1.9], [1.0, 2.1]])) == pytest.approx([0.0, 0.1])


def test_the_split_half_error_is_of_the_sum():
    assert split_half_error(np.array([[10.0, 0.9], [10.0, 1.1]])) == pytest.approx(0.2 / 11)
