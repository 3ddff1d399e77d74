"""What networks learn from others' outputs: divergences' gradients, as autograd finds them, and their bound."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evaluators.nested.distillation import adaptive_divergence, soft_cross_entropy


def gradient(loss: Tensor, logits: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, logits)
    return found


def pair(seed: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(1, 5, generator=rng, requires_grad=True), torch.randn(1, 5, generator=rng).softmax(1)


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient_is_that_of_the_larger_divergence(seed: int) -> None:
    logits, p = pair(seed)
    q = logits.softmax(1)
    reverse, forward = (q * (q / p - 1)).sum() / 2, (p * (p / q).log()).sum()
    larger = reverse if reverse > forward else forward
    assert torch.allclose(
        gradient(adaptive_divergence(logits, p, clip=1e9), logits), gradient(larger, logits), atol=1e-6
    )


def test_probability_where_the_teacher_has_none_counts_for_no_more_than_the_bound() -> None:
    logits = torch.tensor([[10.0, 0.0]], requires_grad=True)
    p = torch.tensor([[1e-6, 1 - 1e-6]])
    assert gradient(adaptive_divergence(logits, p), logits).abs().max() < 1.0
    unbounded = gradient(adaptive_divergence(logits, p, clip=1e9), logits)
    assert unbounded.abs().max() > 10


def test_nothing_is_learnt_from_an_equal_teacher() -> None:
    logits, _ = pair(0)
    taught = logits.detach().softmax(1)
    assert gradient(adaptive_divergence(logits, taught), logits).abs().max() < 1e-6
    assert gradient(soft_cross_entropy(logits, taught), logits).abs().max() < 1e-6


def test_soft_cross_entropy_of_a_certain_teacher_is_the_labels() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    taught = torch.eye(2)
    assert soft_cross_entropy(logits, taught) == pytest.approx(
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1])).item()
    )
