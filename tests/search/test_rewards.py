"""Rewards of several objectives: the published formulas on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from search.algorithms._rewards import Aim, aim_at, reward_of, targets_of

SCORES = np.array([[75.0, -80.0], [75.0, -160.0], [75.0, -40.0], [60.0, -80.0]])
"""Accuracy in percent and minus the latency in ms, against a target of 80 ms."""


def test_mnasnet_multiplies_by_a_power_of_the_cost() -> None:
    rewards = reward_of("mnasnet", SCORES, Aim((80.0,), -0.07))
    assert rewards.round(4).tolist() == [75.0, 71.4478, 78.7288, 60.0]
    assert reward_of("mnasnet", SCORES[1:2], Aim((80.0,), -0.1)).round(4).tolist() == [69.9775]


def test_tunas_takes_off_the_distance_to_the_target() -> None:
    assert reward_of("tunas", SCORES, Aim((80.0,), -7.0)).tolist() == [75.0, 68.0, 71.5, 60.0]
    assert reward_of("tunas", SCORES, Aim((160.0,), -10.0)).tolist() == [70.0, 75.0, 67.5, 55.0]


def test_each_further_cost_has_its_own_target() -> None:
    scores, aim = np.array([[70.0, -20.0, -3e6]]), Aim((10.0, 2e6), -1.0)
    assert reward_of("tunas", scores, aim).tolist() == [68.5]
    assert reward_of("mnasnet", scores, aim).tolist() == [pytest.approx(70 / 3)]


def test_a_single_score_is_its_own_reward() -> None:
    assert reward_of("mnasnet", np.array([[-3.0], [4.0]]), Aim((), -1.0)).tolist() == [-3.0, 4.0]


def test_what_is_not_given_is_taken_from_the_scores() -> None:
    scores = np.array([[70.0, -80.0], [72.0, -160.0], [74.0, -40.0], [78.0, -90.0], [60.0, -100.0]])
    assert aim_at("tunas", scores, None, None) == Aim((90.0,), -4.0)
    assert aim_at("mnasnet", scores, None, None) == Aim((90.0,), -0.07)
    assert aim_at("tunas", scores, (50.0,), -2.0) == Aim((50.0,), -2.0)
    assert aim_at("tunas", np.zeros((3, 2)), None, None) == Aim((1.0,), -1.0)


@pytest.mark.parametrize("scores", [[[-0.5, -80.0]], [[75.0, 80.0]], [[75.0, 0.0]]])
def test_a_product_that_means_nothing_is_refused(scores: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="reward 'mnasnet' needs a first objective that is never negative"):
        reward_of("mnasnet", np.array(scores), Aim((80.0,), -0.07))


@pytest.mark.parametrize(
    ("given", "message"),
    [((1.0, 2.0), "here 1; got"), (0.0, r"finite number above 0, got 0\.0"), (float("nan"), "above 0, got nan")],
)
def test_unusable_targets_are_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        targets_of(given, 1)  # type: ignore[arg-type]


def test_targets_of_several_costs() -> None:
    assert (targets_of((5, 2e6), 2), targets_of(8.0, 1), targets_of(None, 3)) == ((5.0, 2e6), (8.0,), None)
