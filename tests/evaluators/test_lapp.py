"""Learned pruning rates: what is useless is found, the budget is met, and the result is a genotype of the space."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._preparation import Job
from evaluators.lapp import Lapp, _Run
from evaluators.pruning.masks import Bounds, Masks
from evaluators.pruning.result import genotype, learned, learned_weights
from hardware_models.device_sheet import device_sheet
from hardware_models.roofline import Roofline
from spaces.genotype import GenotypeSpace
from spaces.lapp import lapp
from spaces.mbconv import mbconv
from spaces.networks.vit import ViT
from spaces.pruning.masked import masked
from spaces.pruning.prunable import Prunable
from spaces.token_compression.layouts import Layout
from tests.spaces.pruning.nets import NETS, conv_bn

ANY = pg.floatv(0.0, 0.95)


class Planted(nn.Module):
    """Two layers of equal cost behind a stem: one sees the image, the other nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.useful, self.useless = conv_bn(1, 16), conv_bn(16, 16), conv_bn(16, 16)
        self.classifier = nn.Linear(128, 10)

    def forward(self, images: Tensor) -> Tensor:
        features = functional.relu(self.stem(images))
        both = [functional.relu(self.useful(features)), functional.relu(self.useless(features * 0))]
        return self.classifier(torch.cat([functional.adaptive_avg_pool2d(each, 2).flatten(1) for each in both], 1))


def job(folder: Path, rates: Any = ANY, seed: int = 0) -> Job:
    return Job(GenotypeSpace(lapp(Planted, (1, 8, 8), rates)), folder, seed=seed)


def attending() -> nn.Module:
    return ViT(Layout(24, 2, 4, 2, side=8, channels=1, classes=10))


def test_the_heads_of_a_transformer_are_learned(tmp_path: Path) -> None:
    space = GenotypeSpace(lapp(attending, (1, 8, 8), ANY))
    list(Lapp(keep=0.7, epochs=1, lr=0.02)(Job(space, tmp_path)))
    network, widths = space.value.network, learned(tmp_path)
    share = network.products(np.array(widths, float)) / network.products(np.array([4.0, 96, 4, 96]))
    assert share == pytest.approx(0.7, rel=0.01)
    smaller = space.decode(genotype(space, widths)).build(learned_weights(tmp_path))
    assert smaller.get_submodule("blocks.0.attn.qkv").weight.shape[0] == 18 * widths[0]


@pytest.mark.parametrize("seed", range(3))
def test_the_useless_layer_goes_and_the_useful_one_stays(tmp_path: Path, seed: int) -> None:
    list(Lapp(keep=0.5)(job(tmp_path, seed=seed)))
    stem, useful, useless = learned(tmp_path)
    assert useful >= 14
    assert useless <= 4
    network = job(tmp_path).space.value.network
    share = network.products(np.array([stem, useful, useless], float)) / network.products(np.full(3, 16.0))
    assert share == pytest.approx(0.5, rel=0.01)


def test_the_result_is_a_genotype_that_builds_with_its_weights(tmp_path: Path) -> None:
    open_rates = job(tmp_path)
    list(Lapp(epochs=1)(open_rates))
    candidate = open_rates.space.decode(genotype(open_rates.space, learned(tmp_path)))
    assert candidate.widths == learned(tmp_path)
    network = candidate.build(learned_weights(tmp_path))
    assert network.stem[0].out_channels == candidate.widths[0]


def test_listed_rates_are_the_nearest(tmp_path: Path) -> None:
    space = job(tmp_path, rates=(0.0, 0.25, 0.5, 0.75)).space
    assert genotype(space, (16, 11, 1)).tolist() == [0, 1, 3]


def test_what_was_learned_is_the_most_probable_of_its_distribution(tmp_path: Path) -> None:
    listed = job(tmp_path, rates=(0.0, 0.25, 0.5, 0.75))
    list(Lapp(epochs=1)(listed))
    columns = Lapp().distributions(tmp_path)[""]
    assert [int(column.argmax()) for column in columns] == genotype(listed.space, learned(tmp_path)).tolist()
    assert [float(np.exp(column).sum()) for column in columns] == pytest.approx([1, 1, 1])


def test_open_rates_have_no_distribution_of_their_own(tmp_path: Path) -> None:
    list(Lapp(epochs=1)(job(tmp_path)))
    assert [len(column) for column in Lapp().distributions(tmp_path)[""]] == [0, 0, 0]


def test_rates_that_are_not_open_stay(tmp_path: Path) -> None:
    value = lapp(Planted, (1, 8, 8), ANY).rebind({"rates[useful.0]": 0.25})
    held = Job(GenotypeSpace(value), tmp_path)
    masks = _Run(Lapp(), held).masks
    masks.thresholds.data += 1
    masks.clamp()
    assert masks.thresholds.tolist() == pytest.approx([0.9, 0.25, 0.9])


def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    settings = Lapp(epochs=3, batch=256)
    whole = [step.metrics for step in settings(job(tmp_path / "whole"))]
    assert len(list(islice(settings(job(tmp_path / "cut")), 2))) == 2
    again = [step.metrics for step in settings(job(tmp_path / "cut"))]
    assert again == whole
    weights = learned_weights(tmp_path / "whole")
    assert all(torch.equal(weights[name], other) for name, other in learned_weights(tmp_path / "cut").items())


def test_another_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a space of pruning rates, spaces\.lapp\.lapp"):
        next(Lapp()(Job(GenotypeSpace(mbconv()), tmp_path)))


def test_a_share_out_of_reach_is_refused_before_anything_is_learned(tmp_path: Path) -> None:
    space = job(tmp_path).space
    Lapp(keep=0.5).check_early(space, [])
    with pytest.raises(ValueError, match=r"a share of 0\.001 of the whole's cost cannot be met"):
        Lapp(keep=0.001).check_early(space, [])


def test_nothing_is_learned_before_a_job_ends(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no learned pruning rates in"):
        learned(tmp_path)


@pytest.mark.parametrize(("settings", "message"), [({"keep": 0.0}, "keep must be in"), ({"epochs": 1.5}, "at least 1")])
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lapp(**settings)


def bounds(network: Prunable) -> Bounds:
    return Bounds(torch.zeros(len(network.groups)), torch.full((len(network.groups),), 0.95))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_a_network_under_masks_is_the_masked_one(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    network = Prunable(make, (3, 16, 16))
    model, images = make().eval(), torch.randn(2, 3, 16, 16)
    channels = network.channels
    plain = make().eval()
    plain.load_state_dict(model.state_dict())
    masks = Masks(model, channels.groups, channels.layers, bounds(network), bypass=True)
    masks.thresholds.data += 0.4
    widths = tuple(int(width) for width in masks.update().round().tolist())
    best = [group.atoms[places] for group, places in zip(network.groups, masks.best(widths), strict=True)]
    expected = masked(plain, channels, np.concatenate(best))(images)
    assert torch.allclose(model(images), expected, atol=1e-5)


def test_bypasses_are_folded_away() -> None:
    torch.manual_seed(0)
    model, images = Planted().eval(), torch.randn(2, 1, 8, 8)
    network = Prunable(Planted, (1, 8, 8))
    masks = Masks(model, network.groups, network.channels.layers, bounds(network), bypass=True)
    names = {name for name, _ in Planted().named_parameters()}
    beside = [parameter for name, parameter in model.named_parameters() if name.endswith("bypass")]
    assert sum(parameter.numel() for parameter in beside) == 16 + 16
    for parameter in beside:
        nn.init.normal_(parameter)
    before = model(images)
    masks.fold()
    assert {name for name, _ in model.named_parameters()} == names
    assert torch.allclose(model(images), before, atol=1e-6)


def test_both_losses_reach_the_thresholds() -> None:
    torch.manual_seed(0)
    network = Prunable(Planted, (1, 8, 8))
    model = Planted()
    masks = Masks(model, network.groups, network.channels.layers, bounds(network), bypass=False)
    masks.thresholds.data += 0.3
    kept = masks.update()
    assert kept.tolist() == pytest.approx([11, 11, 11])
    (by_count,) = torch.autograd.grad(kept.sum(), masks.thresholds, retain_graph=True)
    assert by_count.tolist() == [-16, -16, -16]
    (by_task,) = torch.autograd.grad(model(torch.randn(8, 1, 8, 8)).square().sum(), masks.thresholds)
    assert by_task[:2].abs().min() > 0


def a_device() -> Roofline:
    return Roofline(device_sheet("jetson-nano"), overhead_us=0)


def test_a_device_can_be_the_budget(tmp_path: Path) -> None:
    steps = list(Lapp(keep=0.6, epochs=1, model=a_device)(job(tmp_path)))
    assert set(steps[0].metrics) == {"accuracy", "latency_ms_share@jetson-nano-estimated"}
    network, device = job(tmp_path).space.value.network, a_device()
    whole, left = (device(network.graph(widths))[device.metrics[0]] for widths in ((16, 16, 16), learned(tmp_path)))
    assert left / whole == pytest.approx(0.6, rel=0.01)
