"""Baselines that prune while they train: each method's steps on numbers worked out by hand, and whole trainings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from evaluators._preparation import Job
from evaluators.pruning.hesso import Hesso, cric, fade, losses_without, lowest, saliency
from evaluators.pruning.mask_sparsity import MaskSparsity
from evaluators.pruning.result import learned, learned_weights
from evaluators.pruning.sap import Sap
from evaluators.pruning.units import Units
from evaluators.trained_pruning import TrainedPruning
from spaces.genotype import GenotypeSpace
from spaces.lapp import lapp
from spaces.pruning.pq_index import pq_index, pruned_count
from spaces.pruning.prunable import Prunable
from tests.evaluators.test_lapp import Planted
from tests.spaces.pruning.nets import conv_bn


def two_layers() -> nn.Sequential:
    """A convolution of four channels with a norm, one without, and an output."""
    norm = conv_bn(1, 4, 1)
    return nn.Sequential(*norm, nn.ReLU(), nn.Conv2d(4, 2, 1), nn.ReLU(), nn.Conv2d(2, 3, 1))


def units_of(model: nn.Module) -> Units:
    return Units(model, Prunable(two_layers, (1, 4, 4)).channels)


def test_a_unit_is_all_of_its_weights() -> None:
    units = units_of(two_layers())
    assert (units.sizes, units.count) == ([4, 2], 6)
    assert units.sums(lambda weights, _: torch.ones_like(weights)).tolist() == [3, 3, 3, 3, 5, 5]


def test_scales_are_those_of_norms() -> None:
    model = two_layers()
    model[1].weight.data = torch.tensor([0.5, -2.0, 0.001, 1.0])
    assert units_of(model).scales().tolist() == pytest.approx([0.5, 2.0, 0.001, 1.0, np.inf, np.inf])


def test_zeroed_units_leave_the_output_as_it_is_without_them() -> None:
    model = two_layers().eval()
    network, units = Prunable(two_layers, (1, 4, 4)), units_of(model)
    units.multiply(torch.tensor([1.0, 0, 1, 0, 1, 0]))
    atoms = np.concatenate([network.groups[0].atoms[[0, 2]], network.groups[1].atoms[[0]]])
    images = torch.randn(2, 1, 4, 4)
    assert torch.allclose(network.shrink(model, atoms)(images), model(images), atol=1e-6)


def test_the_penalty_of_mask_sparsity_is_on_masked_scales_alone() -> None:
    model = two_layers()
    model[1].weight.data = torch.tensor([0.5, -0.002, 0.009, 1.0])
    units, method = units_of(model), MaskSparsity(threshold=0.01, strength=5e-4)
    assert method.masked(units).tolist() == [False, True, True, False, False, False]
    model[1].weight.grad = torch.zeros(4)
    method.penalise(units)
    assert model[1].weight.grad.tolist() == pytest.approx([5e-4, -5e-4, 5e-4, 5e-4])
    model[1].weight.grad.zero_()
    method.penalise(units, method.masked(units))
    assert model[1].weight.grad.tolist() == pytest.approx([0, -5e-4, 5e-4, 0])


def test_mask_sparsity_leaves_a_unit_of_each_group() -> None:
    model = two_layers()
    model[1].weight.data = torch.tensor([0.001, 0.004, 0.002, 0.003])
    assert units_of(model).kept(MaskSparsity().masked(units_of(model))) == (1, 2)


def test_hesso_fades_along_a_line() -> None:
    shares = np.cumprod([fade(step, 5) for step in range(5)])
    assert shares == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0])


def test_saliency_is_a_fifth_of_five_criteria() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(2, 1, 1))
    model[0].weight.data = torch.tensor([3.0, 4.0]).view(2, 1, 1, 1)
    model[0].weight.grad = torch.tensor([1.0, -2.0]).view(2, 1, 1, 1)
    make: Callable[[], nn.Module] = lambda: nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(2, 1, 1))  # noqa: E731
    units = Units(model, Prunable(make, (1, 4, 4)).channels)
    product, half = np.array([3, 8]) / np.hypot(3, 8), np.array([4.5, 32]) / np.hypot(4.5, 32)
    expected = 0.2 * (2 * np.array([0.6, 0.8]) + [1, 0] + product + half)
    assert saliency(units).tolist() == pytest.approx(expected.tolist())


def test_the_lowest_units_are_chosen_and_one_of_a_group_stays() -> None:
    units, none = units_of(two_layers()), torch.zeros(6, dtype=torch.bool)
    scores = torch.tensor([3.0, 1.0, 4.0, 5.0, 0.1, 0.2])
    first = lowest(units, scores, 2, none)
    assert first.tolist() == [False, True, False, False, True, False]
    assert lowest(units, scores, 9, first).tolist() == [True, False, True, False, False, False]


def test_units_go_in_equal_parts_and_stay_zero() -> None:
    model = two_layers()
    units = units_of(model)
    method, gone = Hesso(units, sparsity=0.5, start=1, steps=2, periods=2), []
    for step in range(6):
        for parameter in model.parameters():
            parameter.data += 0.01
            parameter.grad = torch.ones_like(parameter)
        method.after_step(step)
        sizes = units.sums(lambda weights, _: weights.abs())
        gone.append(int((sizes == 0).sum()))
    assert gone == [0, 0, 1, 1, 3, 3]


def test_the_loss_without_a_group_is_looked_at_and_weights_come_back() -> None:
    model = two_layers().eval()
    before = [parameter.clone() for parameter in model.parameters()]
    images = torch.randn(8, 1, 4, 4)
    grown = losses_without(units_of(model), model, lambda: float(model(images).square().mean().detach()) + 1)
    assert float(grown.norm()) == pytest.approx(1)
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


def test_cric_finds_what_matters_least_and_restores_the_network() -> None:
    torch.manual_seed(0)
    model = two_layers()
    model[0].weight.data[:2] *= 1e-4
    model[1].weight.data[:2] *= 1e-4
    before, images = [parameter.clone() for parameter in model.parameters()], torch.randn(8, 1, 4, 4)

    def train_step() -> None:
        model.zero_grad()
        model(images).square().mean().backward()

    found, cycles = cric(units_of(model), model, train_step, count=2, steps=3)
    assert found.tolist() == [True, True, False, False, False, False]
    assert cycles <= 10
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize(("scope", "kept"), [("global", (1, 3)), ("layer", (2, 2)), ("neuron", (2, 2))])
def test_sap_prunes_the_smallest_of_a_scope(scope: str, kept: tuple[int, int]) -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[0].weight.data = torch.tensor([[1.0, 2.0], [3.0, 9.0]])
    model[1].weight.data = torch.tensor([[4.0, 5.0], [6.0, 7.0]])
    sap = Sap(model, scope)
    sap.prune(lambda weights: len(weights) // 2)
    assert tuple(int(mask.sum()) for mask in sap.masks.values()) == kept


def test_sap_trains_from_the_first_weights_with_its_masks() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    first, sap, seen = model[0].weight.clone(), Sap(model), []

    def train() -> None:
        seen.append(model[0].weight.clone())
        model[0].weight.data += 0.1
        sap.mask()

    steps = list(sap.run(train, 3, pruned_count, pq_index))
    assert torch.equal(seen[0], first)
    assert torch.equal(seen[2], torch.where(seen[2] != 0, first, 0))
    assert 1 > steps[0].left > steps[1].left > steps[2].left > 0
    assert 0 < steps[0].index < 1


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown scope 'all'; expected one of global, layer, neuron"):
        Sap(nn.Linear(2, 2), "all")


@pytest.mark.parametrize("method", ["hesso", "cric", "mask_sparsity"])
def test_a_training_leaves_a_network_at_its_budget(tmp_path: Path, method: Any) -> None:
    space = GenotypeSpace(lapp(Planted, (1, 8, 8), pg.floatv(0.0, 0.95)))
    steps = list(TrainedPruning(method, epochs=2, sparsity=0.4)(Job(space, tmp_path)))
    assert [step.share for step in steps] == [0.5, 1.0]
    widths, products = np.array(learned(tmp_path), float), space.value.network.products
    assert products(widths) / products(np.full(3, 16.0)) == pytest.approx(0.5, rel=0.01)
    assert space.value.network.build(learned(tmp_path), learned_weights(tmp_path)) is not None


@pytest.mark.parametrize(
    ("settings", "message"), [({"method": "oto"}, "unknown method 'oto'"), ({"epochs": 0}, "at least 1")]
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainedPruning(**settings)
