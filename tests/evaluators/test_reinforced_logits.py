"""REINFORCE: its reward, its baseline, and that its gradient is right on average."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluators._preparation import Costs
from evaluators._reinforced_logits import cost_of, moved_baseline, reinforce_loss, reward


def test_the_reward_trades_accuracy_for_cost() -> None:
    assert reward(0.7, 80.0, 80.0) == pytest.approx(0.7)
    assert reward(0.7, 160.0, 80.0) == pytest.approx(0.7 * 0.9330330)


def test_a_networks_cost_is_its_terms() -> None:
    assert cost_of(Costs("macs", 5.0, (np.array([1.0, 2.0]), np.array([0.0, 7.0]))), np.array([1, 1])) == 14.0


def test_the_baseline_begins_at_the_first_mean_and_is_fast() -> None:
    notes: dict[str, float] = {}
    assert moved_baseline(notes, 0.5) == 0.5
    assert moved_baseline(notes, 0.7) == pytest.approx(0.5 + 0.99 * 0.2)
    assert notes == {"baseline": pytest.approx(0.698)}


def test_the_mean_gradient_over_all_networks_is_the_exact_one() -> None:
    values = torch.tensor([[1.0, 4.0, 2.0], [0.0, 3.0, 9.0]])
    logits = [torch.tensor([0.3, -0.2], requires_grad=True), torch.tensor([0.0, 1.0, -1.0], requires_grad=True)]
    joint = torch.outer(logits[0].softmax(0), logits[1].softmax(0))
    exact = torch.autograd.grad((joint * values).sum(), logits)
    mean = [torch.zeros_like(column) for column in logits]
    for first, second in np.ndindex(2, 3):
        loss = reinforce_loss(logits, [np.array([first, second])], [values[first, second].item()], 2.5)
        gradients = torch.autograd.grad(-loss, logits)
        mean = [
            total + joint[first, second].detach() * gradient for total, gradient in zip(mean, gradients, strict=True)
        ]
    assert all(torch.allclose(found, wanted, atol=1e-6) for found, wanted in zip(mean, exact, strict=True))
