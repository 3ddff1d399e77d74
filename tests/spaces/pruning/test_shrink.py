"""Smaller networks compute what masked ones do, for random rates of every kind of network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv
from spaces.nasbench201 import nasbench201
from spaces.pruning.channels import Channels, channels
from spaces.pruning.masked import masked
from spaces.pruning.shrink import shrink
from tests.spaces.pruning.nets import NETS, VGG


def with_random_norms(model: nn.Module) -> nn.Module:
    """Give norms other numbers than 1 and 0, which would hide a channel that was mixed up."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean):
                assert isinstance(tensor, Tensor)
                nn.init.normal_(tensor)
            module.running_var = torch.rand(module.num_features) + 0.5
    return model


def some_atoms(found: Channels, rng: np.random.Generator) -> np.ndarray:
    kept = [rng.choice(group.atoms, rng.integers(1, group.width + 1), replace=False) for group in found.groups]
    return np.concatenate(kept)


def difference(model: nn.Module, found: Channels, atoms: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return how far the two are apart, relative to the largest output."""
    images = torch.randn(3, *shape)
    with torch.no_grad():
        expected = masked(model, found, atoms).eval()(images)
        computed = shrink(model, found, atoms, check=False).eval()(images)
    return float((computed - expected).abs().max() / expected.abs().max().clamp(min=1))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_masked_and_smaller_networks_agree(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    model, rng = with_random_norms(make()), np.random.default_rng(0)
    found = channels(model, (3, 16, 16))
    assert max(difference(model, found, some_atoms(found, rng), (3, 16, 16)) for _ in range(8)) < 1e-5


@pytest.mark.parametrize("space", [mbconv(), nasbench201()], ids=["mbconv", "nasbench201"])
def test_networks_of_spaces_agree(space: object) -> None:
    compiled, rng = GenotypeSpace(space), np.random.default_rng(1)
    torch.manual_seed(0)
    for row in compiled.sample(2, rng):
        candidate = compiled.decode(row)
        model = with_random_norms(candidate.build())
        found = channels(model, candidate.input_shape)
        assert difference(model, found, some_atoms(found, rng), candidate.input_shape) < 1e-5


def test_nothing_removed_is_the_same_network() -> None:
    model = NETS["densenet"]()
    found = channels(model, (3, 16, 16))
    same = shrink(model, found, np.concatenate([group.atoms for group in found.groups]))
    assert type(same) is type(model)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), same.parameters(), strict=True))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_one_channel_of_each_group_is_a_network_that_trains(make: Callable[[], nn.Module]) -> None:
    model = make()
    found = channels(model, (3, 16, 16))
    smallest = shrink(model, found, np.array([group.atoms[0] for group in found.groups]))
    smallest.train()(torch.randn(2, 3, 16, 16)).sum().backward()
    assert all(parameter.grad is not None for parameter in smallest.parameters())


def test_a_group_keeps_a_channel() -> None:
    model = VGG()
    found = channels(model, (3, 16, 16))
    with pytest.raises(ValueError, match="group '2' would lose all its 12 channels; keep at least one"):
        shrink(model, found, np.concatenate([group.atoms for group in found.groups if group.name != "2"]))


def test_the_model_keeps_its_channels() -> None:
    model = VGG()
    found = channels(model, (3, 16, 16))
    shrink(model, found, np.array([group.atoms[0] for group in found.groups]))
    assert sum(parameter.numel() for parameter in model.parameters()) == sum(p.numel() for p in VGG().parameters())


class Doubled(nn.Module):
    """A function of the number of channels, which pruning cannot see."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.first(images)
        return self.last(features * features.shape[1])


def test_a_network_that_computes_something_else_is_refused() -> None:
    model = Doubled()
    found = channels(model, (3, 4, 4))
    with pytest.raises(RuntimeError, match="the pruned Doubled computes something else, by up to"):
        shrink(model, found, found.groups[0].atoms[:3])
