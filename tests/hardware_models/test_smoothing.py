"""Noise is taken off a whole space's latencies, and what is smooth stays."""

from __future__ import annotations

import numpy as np
import pytest

from hardware_models.smoothing import smoothed

COUNTS = (4, 3, 3, 4)


def additive() -> np.ndarray:
    parts = np.meshgrid(*(np.arange(count, dtype=float) for count in COUNTS), indexing="ij")
    return np.asarray(10 + 2 * parts[0] + parts[1] - parts[2] + 0.5 * parts[3] * parts[0]).ravel()


def test_latencies_without_noise_stay():
    assert smoothed(additive(), COUNTS) == pytest.approx(additive())


def test_noise_is_mostly_taken_off():
    noise = np.random.default_rng(0).normal(size=additive().size)
    left = smoothed(additive() + noise, COUNTS) - additive()
    assert left.std() < 0.4 * noise.std()


def test_the_mean_stays():
    noisy = additive() + np.random.default_rng(1).normal(size=additive().size)
    assert smoothed(noisy, COUNTS).mean() == pytest.approx(noisy.mean())


def test_equal_latencies_stay_equal():
    assert smoothed(np.full(27, 3.0), (3, 3, 3)) == pytest.approx(np.full(27, 3.0))


def test_a_decision_without_a_choice_changes_nothing():
    noisy = additive() + np.random.default_rng(2).normal(size=additive().size)
    assert smoothed(noisy, (4, 1, 3, 3, 4)) == pytest.approx(smoothed(noisy, COUNTS))


def test_two_decisions_have_no_term_for_noise():
    noisy = np.random.default_rng(3).normal(size=12)
    assert smoothed(noisy, (3, 4)).tolist() == noisy.tolist()
