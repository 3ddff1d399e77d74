"""Measurements without the part of them that was timed along."""

from __future__ import annotations

import pytest

from hardware_models.measurement import LEAST_MS, Measurement

WHOLE = Measurement(1.0, samples=8, minimum_ms=0.8, quartile_ms=0.9, median_ms=1.1, halves_ms=(0.9, 1.1))
PART = Measurement(0.4, samples=8, minimum_ms=0.3, quartile_ms=0.4, median_ms=0.5, halves_ms=(0.3, 0.5))


def test_a_share_of_the_part_is_subtracted():
    left = WHOLE.less(PART, 0.5)
    assert left.latency_ms == pytest.approx(0.8)
    assert (left.minimum_ms, left.quartile_ms, left.median_ms) == pytest.approx((0.6, 0.7, 0.9))
    assert left.halves_ms == pytest.approx((0.75, 0.85))
    assert left.samples == 8


def test_nothing_takes_no_time_at_all():
    left = PART.less(WHOLE, 1.0)
    assert (left.latency_ms, left.minimum_ms, left.halves_ms) == (LEAST_MS, LEAST_MS, (LEAST_MS, LEAST_MS))
