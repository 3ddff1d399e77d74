"""The PQ index, and how many weights it says can go, on the source's numbers."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.pruning.pq_index import kept_at_least, pq_index, pruned_count


@pytest.mark.parametrize(
    ("weights", "halves", "ones", "bounds"),
    [
        ((1, 0, 0, 0), 0.75, 0.5, (1, 1)),
        ((1, 1, 0, 0), 0.5, 0.292893, (2, 2)),
        ((4, 3, 2, 1), 0.055586, 0.087129, (3.7777, 3.3333)),
    ],
)
def test_the_pq_index_and_its_bound(
    weights: tuple[float, ...], halves: float, ones: float, bounds: tuple[float, float]
) -> None:
    row = np.array(weights, float)
    assert (pq_index(row), pq_index(row, 1, 2)) == pytest.approx((halves, ones), abs=1e-6)
    assert (kept_at_least(row), kept_at_least(row, 1, 2)) == pytest.approx(bounds, abs=1e-4)


def test_the_pq_index_of_a_gaussian() -> None:
    weights = np.random.default_rng(0).standard_normal(1_000_000)
    assert pq_index(weights, 1, 2) == pytest.approx(0.20212, abs=1e-3)


def test_equal_weights_stay_and_zeros_go() -> None:
    assert pruned_count(np.ones(10)) == 0
    assert pruned_count(np.array([1.0, 0, 0, 0])) == 3
    assert pruned_count(np.eye(1, 100)[0], gamma=9) == 90


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.0, 1.0), (2.0, 1.0)])
def test_norms_in_the_wrong_order_are_refused(p: float, q: float) -> None:
    with pytest.raises(ValueError, match="expected 0 < p < q, got"):
        pq_index(np.ones(3), p, q)
