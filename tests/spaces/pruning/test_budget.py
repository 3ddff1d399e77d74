"""Widths that meet a budget of multiply-accumulates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import nn

from hardware_models import counts
from spaces.pruning.budget import Budget
from spaces.pruning.prunable import Prunable
from tests.spaces.pruning.nets import NETS, VGG, Mixer, ResNet


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_products_are_the_multiply_accumulates(make: Callable[[], nn.Module]) -> None:
    network, rng = Prunable(make, (3, 16, 16)), np.random.default_rng(0)
    for _ in range(5):
        widths = rng.integers(1, [group.width + 1 for group in network.groups])
        assert network.products(widths.astype(float)) == pytest.approx(counts.macs(network.graph(widths.tolist())))


def test_equal_rates_stay_equal() -> None:
    network = Prunable(lambda: ResNet("B", depth=3, width=16), (3, 16, 16))
    shares = np.array(network.within_macs(0.5, np.zeros(12))) / [group.width for group in network.groups]
    assert abs(shares - 0.71).max() < 0.05


@pytest.mark.parametrize("seed", range(5))
def test_any_rates_are_moved_to_the_budget(seed: int) -> None:
    network = Prunable(lambda: ResNet("A", depth=3, width=16), (3, 16, 16))
    rates = np.random.default_rng(seed).uniform(0, 1, 12)
    full = network.products(np.array([group.width for group in network.groups], float))
    for share in (0.3, 0.6):
        widths = network.within_macs(share, rates, least=0.1)
        assert network.products(np.array(widths, float)) == pytest.approx(share * full, rel=0.01)
        assert all(width >= group.width * 0.1 for width, group in zip(widths, network.groups, strict=True))


def test_rates_that_meet_the_budget_stay() -> None:
    budget = Budget(lambda widths: widths.sum(-1), 30.0, np.array([20, 40]), np.array([1, 1]))
    assert budget.widths(np.array([0.5, 0.5])) == (10, 20)
    assert budget.widths(np.array([0.05, 0.725])) == (19, 11)


@pytest.mark.parametrize(
    ("make", "share", "message"),
    [
        (Mixer, 0.2, r"a share of 0\.2 of the whole's cost cannot be met: what must stay takes 0\.\d+"),
        (VGG, 0.0, "above 0 and at most 1, got 0"),
    ],
)
def test_what_cannot_be_met_is_refused(make: Callable[[], nn.Module], share: float, message: str) -> None:
    network = Prunable(make, (3, 16, 16))
    with pytest.raises(ValueError, match=message):
        network.within_macs(share, np.zeros(len(network.groups)))


@pytest.mark.parametrize("seed", range(4))
def test_widths_may_be_multiples(seed: int) -> None:
    network = Prunable(lambda: ResNet("B", depth=3, width=16), (3, 16, 16))
    full = np.array([group.width for group in network.groups], float)
    rates = np.random.default_rng(seed).uniform(0, 1, 12)
    widths = network.within(network.products, 0.5, rates, least=0.1, multiple=8)
    assert all(width % 8 == 0 for width in widths)
    assert network.products(np.array(widths, float)) / network.products(full) == pytest.approx(0.5, rel=0.05)


def test_a_group_that_is_no_multiple_stays_whole_or_becomes_one() -> None:
    budget = Budget(lambda widths: widths.sum(-1), 36.0, np.array([20, 40]), np.array([1, 1]), multiple=8)
    assert budget.widths(np.array([0.0, 0.6])) == (20, 16)
