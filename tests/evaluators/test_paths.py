"""How choices are run: golden gradients of ProxylessNAS, Gumbel softmax, and that all ways agree where they must."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from small_chains import convolutions
from torch import Tensor, nn

from evaluators._binary_gates import Gates, all_gates, keep_mass, two_gates
from evaluators.paths import binary_paths, gumbel_softmax, one_path, uniform_like, weighted_paths
from evaluators.supernet import Supernet

ALL = torch.arange(3)


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, inputs: Tensor) -> Tensor:
        return self.factor * inputs


CHOICES = [Times(1.0), Times(2.0), Times(-1.0)]


def gradient_of_gates(active: int, compared: Tensor) -> list[float]:
    """Return the gradient of logits (0, 0.5, -0.5), of a loss whose gates have gradients (1, 2, -1)."""
    logits = torch.tensor([0.0, 0.5, -0.5], requires_grad=True)
    paths = binary_paths(np.array([active]), [compared], [logits[compared].softmax(0)])
    paths(0, CHOICES, torch.ones(1)).sum().backward()
    return logits.grad.tolist()


@pytest.mark.parametrize("active", [0, 1, 2])
def test_all_gates_have_the_golden_gradient(active: int) -> None:
    assert gradient_of_gates(active, ALL) == pytest.approx([-0.0411129, 0.4386966, -0.3975837], abs=1e-6)


def test_two_gates_then_a_step_leave_the_third_choice_its_probability() -> None:
    before = torch.tensor([0.0, 0.5, -0.5])
    after = before - 0.1 * torch.tensor(gradient_of_gates(1, torch.tensor([1, 2])))
    keep_mass([after], [before], Gates(np.array([1]), (torch.tensor([1, 2]),)))
    assert after.tolist() == pytest.approx([0.0, 0.46688114, -0.41515170], abs=1e-6)
    assert after.softmax(0)[0].item() == pytest.approx(before.softmax(0)[0].item(), abs=1e-7)


def test_an_active_path_gives_the_outputs_of_its_network() -> None:
    paths = binary_paths(np.array([1]), [ALL], [torch.ones(3) / 3])
    assert paths(0, CHOICES, torch.ones(2)).tolist() == [2.0, 2.0]


def test_gradients_of_gates_pass_through_the_layers_before() -> None:
    features = torch.ones(1, requires_grad=True)
    paths = binary_paths(np.array([1, 2]), [ALL, ALL], [torch.ones(3), torch.ones(3)])
    paths(1, CHOICES, paths(0, CHOICES, features)).sum().backward()
    assert features.grad.item() == -2.0


def test_one_hot_weights_are_one_path() -> None:
    space = convolutions()
    supernet, row = Supernet(space).eval(), np.array([2, 0, 3])
    hot = [
        nn.functional.one_hot(torch.tensor(choice), column.cardinality).float()
        for choice, column in zip(row, space.columns, strict=True)
    ]
    images = torch.randn(2, 1, 12, 12)
    assert torch.allclose(supernet(images, weighted_paths(hot)), supernet(images, one_path(row)), atol=1e-6)


def test_binary_gradients_are_those_of_the_weighted_sum_at_the_active_path() -> None:
    weights = torch.tensor([0.0, 1.0, 0.0], requires_grad=True)
    features = torch.tensor([3.0, -1.0])
    weighted_paths([weights])(0, CHOICES, features).square().sum().backward()
    gates = torch.zeros(3, requires_grad=True)
    binary_paths(np.array([1]), [ALL], [gates])(0, CHOICES, features).square().sum().backward()
    assert gates.grad.tolist() == weights.grad.tolist() == [40.0, 80.0, -40.0]


def test_choices_of_different_shapes_cannot_be_summed() -> None:
    choices = [nn.Identity(), nn.AvgPool1d(2)]
    with pytest.raises(ValueError, match=r"column 0 cannot be summed: .* shapes \(1, 4\), \(1, 2\)"):
        weighted_paths([torch.ones(2)])(0, choices, torch.ones(1, 4))


def test_gumbel_softmax_by_hand() -> None:
    uniform = torch.tensor([0.5, 0.1, 0.9], dtype=torch.float64)  # noise 0.366513, -0.834032, 2.250367
    masks = gumbel_softmax(torch.tensor([0.0, 1.0, -1.0]), 5.0, uniform)
    assert masks.tolist() == pytest.approx([0.317053, 0.304588, 0.378358], abs=1e-6)
    assert masks.sum().item() == pytest.approx(1.0)


def test_gumbel_softmax_draws_choices_by_the_softmax() -> None:
    logits = torch.log(torch.tensor([0.6, 0.3, 0.1]))
    uniform = uniform_like(logits.expand(20_000, 3), torch.Generator().manual_seed(0))
    drawn = gumbel_softmax(logits, 0.01, uniform).argmax(1)
    shares = torch.bincount(drawn, minlength=3) / 20_000
    assert shares.tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.012)


def test_two_gates_are_two_choices_one_of_them_active() -> None:
    rng = torch.Generator().manual_seed(0)
    logits: Sequence[Tensor] = [torch.zeros(4), torch.zeros(1)]
    for _ in range(20):
        gates = two_gates(logits, rng)
        assert [len(set(column.tolist())) for column in gates.compared] == [2, 1]
        assert all(active in column for active, column in zip(gates.genotype, gates.compared, strict=True))


def test_all_gates_follow_the_probabilities() -> None:
    rng = torch.Generator().manual_seed(0)
    drawn = [all_gates([torch.log(torch.tensor([0.9, 0.1]))], rng).genotype.item() for _ in range(500)]
    assert 25 <= sum(drawn) <= 75
