"""Estimates on a machine whose speed drifts."""

from __future__ import annotations

import numpy as np
import pytest

from hardware_models.drift import estimate_ms, halves_ms, split_half_error
from hardware_models.sampling import Visits

TIMES_MS = np.array([0.05, 0.2, 1.0, 4.0, 9.0])


def visits(slowness, rounds: int = 20, noise: float = 0.0) -> Visits:
    """Return visits to workloads of `TIMES_MS` on a machine whose slowness is a function of the visit's number."""
    rng = np.random.default_rng(0)
    made = Visits()
    for number in range(rounds):
        for index in rng.permutation(len(TIMES_MS)):
            time_ms = TIMES_MS[index] * slowness(len(made.rounds)) * np.exp(rng.normal(0, noise))
            made.workloads.append(int(index))
            made.rounds.append(number)
            made.samples_ms.append([time_ms, time_ms * 1.5, time_ms * 1.1])
    return made


def test_on_a_steady_machine_the_fastest_sample_of_a_visit_counts():
    assert estimate_ms(visits(lambda _: 1.0), 5) == pytest.approx(TIMES_MS)


def test_slow_spells_cancel_out():
    estimate = estimate_ms(visits(lambda visit: 1.0 if visit // 30 % 2 else 1.4), 5)
    assert estimate / estimate[2] == pytest.approx(TIMES_MS / TIMES_MS[2], rel=0.03)


def test_correcting_beats_the_plain_median():
    made = visits(lambda visit: 1.0 + 0.5 * (np.sin(visit / 9.0) > 0.3), rounds=10, noise=0.01)
    estimate = estimate_ms(made, 5)
    plain = np.array([np.median(made.of(index)[::3]) for index in range(5)])
    corrected_error, plain_error = (np.std(np.log(found / TIMES_MS)) for found in (estimate, plain))
    assert corrected_error < plain_error / 2


def test_one_workload_alone_has_a_time():
    made = Visits([0] * 6, list(range(6)), [[2.0], [2.0], [2.0], [9.0], [2.0], [2.0]])
    assert estimate_ms(made, 1) == pytest.approx([2.0], rel=0.05)


def test_halves_are_of_different_rounds():
    made = Visits([0, 0, 0, 0], [0, 1, 2, 3], [[1.0], [3.0], [1.0], [3.0]])
    assert halves_ms(made, 1) == pytest.approx(np.array([[1.0], [3.0]]))


def test_what_was_never_accepted_has_no_time():
    made = Visits([0, 1, 0, 1], [0, 0, 1, 1], [[1.0], [], [1.0], []])
    assert estimate_ms(made, 2) == pytest.approx([1.0, np.nan], nan_ok=True)


def test_the_split_half_error_is_relative():
    assert split_half_error(np.array([[1.0, 1.9], [1.0, 2.1]])) == pytest.approx(0.05)
