"""Losses with latency: golden values, and what they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from evaluators import latency_losses
from evaluators._preparation import Costs

COSTS = Costs("latency_ms@pixel1", 2.0, (np.array([1.0, 3.0]), np.array([0.0, 5.0, 10.0])))
ONE = torch.tensor(1.0)


def test_expected_cost_is_linear_in_the_weights() -> None:
    weights = [torch.tensor([0.25, 0.75], requires_grad=True), torch.tensor([0.5, 0.3, 0.2])]
    cost = latency_losses.expected_cost(COSTS, weights)
    cost.backward()
    assert cost.item() == pytest.approx(2 + 2.5 + 3.5)
    assert weights[0].grad.tolist() == [1.0, 3.0]


def test_expected_cost_of_some_choices() -> None:
    pair = (torch.tensor([1, 0]), torch.tensor([2, 0]))
    assert latency_losses.expected_cost(COSTS, [torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])], pair).item() == 10


def test_fbnets_power_is_of_the_logarithm() -> None:
    loss = latency_losses.fbnet_loss(torch.tensor(2.0), torch.tensor(20_000.0)).item()
    assert loss == pytest.approx(2 * 0.2 * 9.9034876**0.6, rel=1e-6)
    assert loss == pytest.approx(1.58319, abs=1e-5)
    assert abs(loss - 2 * 0.2 * math.log(20_000**0.6)) > 0.7


def test_the_released_proxylessnas_losses() -> None:
    cost = torch.tensor(100.0)
    assert latency_losses.multiplied_log(ONE, cost, 80.0).item() == pytest.approx(0.2 * (4.6051702 / 4.3820266) ** 0.3)
    assert latency_losses.added_linear(ONE, cost, 80.0).item() == pytest.approx(1.025)
    assert latency_losses.multiplied_log(ONE, torch.tensor(80.0), 80.0).item() == pytest.approx(0.2)


def test_the_papers_proxylessnas_loss() -> None:
    assert latency_losses.added(ONE, torch.tensor(100.0), 0.02).item() == pytest.approx(3.0)


@pytest.mark.parametrize(("cost", "loss"), [(60.0, 1.5), (80.0, 1.0), (120.0, 2.0)])
def test_a_distance_counts_on_both_sides(cost: float, loss: float) -> None:
    assert latency_losses.added_distance(ONE, torch.tensor(cost), 80.0, 2.0).item() == pytest.approx(loss)
