"""Baselines that prune while they train: each method's steps on numbers worked out by hand, and whole trainings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from evaluators._checkpoints import read_checkpoint
from evaluators._preparation import Job
from evaluators.pruning.channel_sap import ChannelSap
from evaluators.pruning.hesso import Hesso, cric, fade, losses_without, lowest, saliency
from evaluators.pruning.mask_sparsity import MaskSparsity
from evaluators.pruning.methods import METHODS
from evaluators.pruning.pq_index import pq_index, pruned_count
from evaluators.pruning.result import CHECKPOINT, learned, learned_weights
from evaluators.pruning.sap import Sap
from evaluators.pruning.units import Units
from evaluators.trained_pruning import TrainedPruning
from spaces.genotype import GenotypeSpace
from spaces.lapp import lapp
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


@pytest.mark.parametrize("norms", [(0.5, 1.0), (1.0, 2.0)])
@pytest.mark.parametrize(
    ("sizes", "left"), [((1, 0, 0, 0), (1, 2)), ((1, 1, 0, 0), (2, 2)), ((4, 3, 2, 1), (4, 2)), ((2, 2, 2, 2), (4, 2))]
)
def test_a_group_loses_the_channels_that_its_index_says(
    sizes: tuple[float, ...], left: tuple[int, int], norms: tuple[float, float]
) -> None:
    units = sized(sizes, (1, 1))
    assert units.kept(ChannelSap(p=norms[0], q=norms[1]).pruned(units, torch.zeros(6, dtype=torch.bool))) == left


def sized(first: Sequence[float], second: Sequence[float]) -> Units:
    """Return the units of two layers whose filters have these norms."""
    model = two_layers()
    for layer, sizes in ((model[0], first), (model[3], second)):
        layer.weight.data = torch.ones_like(layer.weight) / layer.weight[0].numel() ** 0.5
        layer.weight.data *= torch.tensor(sizes).view(-1, 1, 1, 1)
    return units_of(model)


@pytest.mark.parametrize(("eta", "gamma", "left"), [(0.2, 1, (3, 2)), (0.4, 1, (2, 2)), (0.2, 3, (1, 2))])
def test_more_channels_go_by_eta_and_gamma(eta: float, gamma: float, left: tuple[int, int]) -> None:
    units = sized((4, 3, 2, 1), (1, 1))
    assert units.kept(ChannelSap(eta=eta, gamma=gamma).pruned(units, torch.zeros(6, dtype=torch.bool))) == left


def test_the_next_iteration_asks_what_is_left() -> None:
    units, gone = sized((4, 3, 2, 1), (1, 1)), torch.tensor([False, False, False, True, False, False])
    assert ChannelSap(eta=0.2).pruned(units, gone).tolist() == [False, False, False, True, False, False]
    assert ChannelSap(eta=0.4).pruned(units, gone).tolist() == [False, False, True, True, False, False]


def test_one_index_of_all_channels_compares_groups_by_their_own_size() -> None:
    units = sized((100, 100, 0, 100), (1e-5, 0))
    gone = ChannelSap(scope="global").pruned(units, torch.zeros(6, dtype=torch.bool))
    assert gone.tolist() == [False, False, True, False, False, True]


def space_of_rates() -> GenotypeSpace:
    return GenotypeSpace(lapp(Planted, (1, 8, 8), pg.floatv(0.0, 0.95)))


@pytest.mark.parametrize("method", METHODS)
def test_a_training_leaves_a_network_at_its_budget(tmp_path: Path, method: Any) -> None:
    space = space_of_rates()
    steps = list(TrainedPruning(method, epochs=2, sparsity=0.4)(Job(space, tmp_path)))
    assert [step.share for step in steps] == [0.5, 1.0]
    widths, products = np.array(learned(tmp_path), float), space.value.network.products
    assert products(widths) / products(np.full(3, 16.0)) == pytest.approx(0.5, rel=0.01)
    assert space.value.network.build(learned(tmp_path), learned_weights(tmp_path)) is not None


def same_result(one: Path, other: Path) -> bool:
    weights, others = learned_weights(one), learned_weights(other)
    return learned(one) == learned(other) and all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Path, method: Any) -> None:
    training, space = TrainedPruning(method, epochs=10, batch=256, keep=None), space_of_rates()
    expected = list(training(Job(space, tmp_path / "whole")))
    for epochs in (1, 2, 4, 6):  # before CRIC looks, in HESSO's periods, behind SAP's first iteration and the mask
        interrupted = training(Job(space, tmp_path / "broken"))
        assert [next(interrupted) for _ in range(epochs)] == expected[:epochs]
        interrupted.close()
    assert list(training(Job(space, tmp_path / "broken"))) == expected
    assert same_result(tmp_path / "whole", tmp_path / "broken")


def test_a_killed_training_goes_on_in_another_process(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from evaluators._preparation import Job
from evaluators.pruning.methods import Method
from evaluators.trained_pruning import TrainedPruning
from tests.evaluators.test_trained_pruning import space_of_rates

def killed(self):
    self.penalised = getattr(self, "penalised", 0) + 1
    if self.penalised == 8:
        os.kill(os.getpid(), signal.SIGKILL)

Method.penalise = killed
list(TrainedPruning("sap", epochs=4, batch=256)(Job(space_of_rates(), Path({str(tmp_path / "killed")!r}))))
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONPATH": "."}, check=False)
    assert done.returncode == -signal.SIGKILL
    training, space = TrainedPruning("sap", epochs=4, batch=256), space_of_rates()
    assert len(read_checkpoint(tmp_path / "killed" / CHECKPOINT)["history"]) == 2
    assert list(training(Job(space, tmp_path / "killed"))) == list(training(Job(space, tmp_path / "whole")))
    assert same_result(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iterations": 0}, "iterations must be at least 1, got 0"),
        ({"scope": "neuron"}, "unknown scope 'neuron'; expected layer or global"),
        ({"gamma": 0.0}, r"eta must be at least 0 and gamma above 0, got 0\.0 and 0\.0"),
        ({"p": 2.0}, "expected 0 < p < q, got 2.0 and 1.0"),
    ],
)
def test_impossible_numbers_of_sap_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChannelSap(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "oto"}, "unknown method 'oto'; expected one of hesso, cric, mask_sparsity, sap"),
        ({"epochs": 1.5}, "at least 1"),
        ({"sparsity": 1.0}, r"least and sparsity in \[0, 1\), got 0\.5, 0\.1 and 1\.0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainedPruning(**settings)
