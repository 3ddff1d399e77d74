"""Several tasks in one search: estimators that are right on average, and tasks that end with different networks."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyglove as pg
import pytest
import torch
from small_chains import Chain
from torch import Tensor, nn

from benchmarks.planted_chains import planted_costs, planted_space
from evaluators._importance import importance, log_probability, multi_task_loss, propose
from evaluators._preparation import Job
from evaluators._supernet_search import supernet_weights
from evaluators.datasets import Part
from evaluators.fbnetv5 import FBNetV5Search
from evaluators.supernet import inherit
from evaluators.tasks import foreground_loss
from spaces.genotype import GenotypeSpace

MASKS = [np.array(mask) for mask in itertools.product((0, 1), repeat=6)]


def logits_of(tasks: int) -> list[list[Tensor]]:
    rng = torch.Generator().manual_seed(0)
    return [
        [torch.randn(2, generator=rng, dtype=torch.float64).requires_grad_() for _ in range(6)] for _ in range(tasks)
    ]


def losses_of(weight: Tensor, mask: np.ndarray, tasks: int) -> Tensor:
    """Return losses of each task that no sum over decisions gives."""
    return torch.stack(
        [(weight * (mask * np.arange(1, 7)).sum() / 10 - task).cos() + mask[:3].prod() for task in range(tasks)]
    )


def penalty_of(mask: np.ndarray) -> float:
    return 0.3 * float(mask.sum())


@pytest.mark.parametrize("tasks", [1, 2, 3])
def test_both_gradients_are_unbiased_over_all_networks(tasks: int) -> None:
    logits, weight = logits_of(tasks), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    learned = [weight, *(column for of in logits for column in of)]
    exact = estimated = torch.zeros((), dtype=torch.float64)
    for mask in MASKS:
        chances = torch.stack([log_probability(of, mask) for of in logits])
        losses = losses_of(weight, mask, tasks)
        exact = exact + (chances.exp() * (losses + penalty_of(mask))).sum()
        proposal = chances.exp().mean().detach()
        baselines = torch.linspace(-1, 1, tasks, dtype=torch.float64)
        estimated = estimated + proposal * multi_task_loss(losses, chances, penalty_of(mask), baselines)
    wanted = torch.autograd.grad(exact, learned, retain_graph=True)
    found = torch.autograd.grad(estimated, learned)
    assert all(torch.allclose(*pair, atol=1e-12) for pair in zip(wanted, found, strict=True))


def test_importance_is_bounded_by_the_number_of_tasks() -> None:
    logits = logits_of(3)
    weights = [importance(torch.stack([log_probability(of, mask) for of in logits])) for mask in MASKS]
    assert torch.stack(weights).max() <= 3
    assert importance(torch.tensor([-2.0])).tolist() == [1.0]


def test_proposals_come_from_every_task() -> None:
    sure = [[torch.tensor([0.0, 50.0])], [torch.tensor([50.0, 0.0])]]
    rng = torch.Generator().manual_seed(0)
    assert 30 <= sum(propose(sure, rng).item() for _ in range(100)) <= 70


def test_the_foreground_is_what_is_above_the_mean() -> None:
    images = torch.tensor([[[[0.0, 0.0], [0.0, 4.0]]]])
    sure = torch.tensor([[[[-9.0, -9.0], [-9.0, 9.0]]]])
    assert foreground_loss(sure, Part(images, torch.zeros(1))).item() < 1e-3
    assert foreground_loss(torch.zeros(1, 1, 1, 1), Part(images, torch.zeros(1))).item() == pytest.approx(math.log(2))


class Placed(nn.Module):
    """Noisy features in place, or clear ones in other places."""

    def __init__(self, clear: bool) -> None:
        super().__init__()
        self.clear = clear

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.transpose(2, 3).flip(2).roll(3, 3) if self.clear else inputs + 3 * torch.randn_like(inputs)


class Torn(pg.Object):
    """What shows the class and what shows the place are different choices."""

    clear: list[bool]

    def build(self) -> nn.Module:
        head = nn.Sequential(nn.Flatten(), nn.Linear(64 * 4, 10))
        return Chain(nn.Conv2d(1, 4, 1), [Placed(clear) for clear in self.clear], head)


def test_tasks_with_different_needs_get_different_networks(tmp_path: Path) -> None:
    space = GenotypeSpace(Torn(clear=[pg.oneof([False, True])]))
    search = FBNetV5Search(epochs=8, warmup=1, logits_lr=0.1, batch=32)
    list(search(Job(space, tmp_path)))
    found = search.distributions(tmp_path)
    assert set(found) == {"class", "foreground"}
    assert math.exp(found["class"][0][1]) > 0.8
    assert math.exp(found["foreground"][0][0]) > 0.8


SMALL = FBNetV5Search(cost="latency_ms@planted", strength=0.01, epochs=3, warmup=1, batch=128)


def test_an_interrupted_search_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, broken = (Job(planted_space(2), tmp_path / name, planted_costs(2)) for name in ("whole", "broken"))
    expected = list(SMALL(whole))
    interrupted = SMALL(broken)
    assert [next(interrupted) for _ in range(2)] == expected[:2]
    interrupted.close()
    assert list(SMALL(broken)) == expected
    assert list(expected[0].metrics)[:3] == ["class_loss", "class_entropy_nats", "class_expected_latency_ms@planted"]
    assert SMALL.distributions(broken.folder).keys() == {"class", "foreground"}


def test_networks_inherit_without_the_further_heads(tmp_path: Path) -> None:
    list(replace(SMALL, epochs=1, warmup=0)(Job(planted_space(2), tmp_path, planted_costs(2))))
    state, row = supernet_weights(tmp_path), np.array([1, 2])
    assert any(name.startswith("heads.foreground.") for name in state)
    planted_space(2).decode(row).build().load_state_dict(inherit(state, row))


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="tasks must be different ones of class, foreground, got \\('depth',\\)"):
        FBNetV5Search(tasks=("depth",))
    with pytest.raises(ValueError, match="of 30 epochs 30 are warm-up: at least one"):
        FBNetV5Search(warmup=30)
