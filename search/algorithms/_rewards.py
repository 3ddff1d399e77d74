"""One reward of several objectives, for algorithms that climb one number: MnasNet's product, TuNAS's absolute value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MNASNET_EXPONENT = -0.07

Reward = Callable[[np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]
"""(quality (n,), costs (n, k), targets (k,), exponent) -> rewards (n,), larger is better."""


def mnasnet(quality: np.ndarray, costs: np.ndarray, targets: np.ndarray, exponent: float) -> np.ndarray:
    """Return `quality * prod_k (cost_k / target_k) ** exponent` (Tan et al., CVPR 2019, equation 2; ProxylessNAS).

    MnasNet and ProxylessNAS use exponents of -0.07 and (in its released code) -0.1.
    Raises ValueError for a quality below 0 or a cost that is not above 0, where the product means nothing.
    """
    if (quality < 0).any() or (costs <= 0).any():
        raise ValueError(
            "reward 'mnasnet' needs a first objective that is never negative, and others that are minimized and "
            f"positive; got a first score of {quality.min()} and a cost of {costs.min()}; use reward='tunas'"
        )
    rewards: np.ndarray = quality * ((costs / targets) ** exponent).prod(axis=1)
    return rewards


def tunas(quality: np.ndarray, costs: np.ndarray, targets: np.ndarray, exponent: float) -> np.ndarray:
    """Return `quality + exponent * sum_k |cost_k / target_k - 1|` (TuNAS: Bender et al., CVPR 2020; beta < 0).

    The exponent, there called beta, is in the unit of the quality: -0.07 for an accuracy as a share is -7 in percent.
    """
    rewards: np.ndarray = quality + exponent * np.abs(costs / targets - 1).sum(axis=1)
    return rewards


REWARDS: dict[str, Reward] = {"mnasnet": mnasnet, "tunas": tunas}


@dataclass(frozen=True, slots=True)
class Aim:
    """What the costs are measured against, and how much they weigh: shape (costs,), and w or beta."""

    targets: tuple[float, ...]
    exponent: float


def check_reward(name: str) -> str:
    """Return `name` if it names a reward; raise ValueError otherwise."""
    if name not in REWARDS:
        raise ValueError(f"unknown reward {name!r}; there are {', '.join(REWARDS)}")
    return name


def targets_of(given: float | tuple[float, ...] | None, costs: int) -> tuple[float, ...] | None:
    """Return the targets of so many costs; None where none are given.

    Raises ValueError for another number of them, and for a target that is not a finite number above 0.
    """
    if given is None:
        return None
    targets = np.atleast_1d(np.asarray(given, np.float64))
    if targets.shape != (costs,):
        raise ValueError(f"target must hold a number for each objective after the first, here {costs}; got {given!r}")
    if not (np.isfinite(targets) & (targets > 0)).all():
        raise ValueError(f"a target must be a finite number above 0, got {given!r}")
    return tuple(targets.tolist())


def aim_at(name: str, scores: np.ndarray, targets: tuple[float, ...] | None, exponent: float | None) -> Aim:
    """Return an aim; what is not given is taken from `scores` (n, objectives), those of some random candidates.

    Targets are then the medians of the costs (1 where that is 0); MnasNet's w is -0.07; TuNAS's beta is minus the
    distance between the quartiles of the quality (1 where that is 0), which makes it free of the quality's unit: a
    cost of twice its target weighs as much as the difference between a good candidate and a poor one.
    """
    if targets is None:
        medians = np.median(-scores[:, 1:], axis=0)
        targets = tuple(np.where(medians == 0, 1.0, medians).tolist())
    if exponent is None:
        low, high = np.quantile(scores[:, 0], (0.25, 0.75)).tolist()
        exponent = MNASNET_EXPONENT if name == "mnasnet" else -((high - low) or 1.0)
    return Aim(targets, exponent)


def reward_of(name: str, scores: np.ndarray, aim: Aim) -> np.ndarray:
    """Return one reward a row of `scores` (n, objectives), larger is better: the score itself of one objective.

    The first objective is the quality. The others are costs to be minimized, whose scores are their negatives.
    """
    if scores.shape[1] == 1:
        return scores[:, 0]
    return REWARDS[name](scores[:, 0], -scores[:, 1:], np.array(aim.targets), aim.exponent)
