"""Networks on parts of the largest one's weights: the same outputs, the same gradients, transformed kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from evaluators.datasets import Part
from evaluators.nested.scoring import fitted, re_estimate
from evaluators.nested.space import NestedSpace
from evaluators.nested.weights import NestedWeights, build_unfilled, load_weights, trained
from hardware_models.inherited import inherit
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import once_for_all

ELASTICVIT = NestedSpace(GenotypeSpace(elasticvit("small", resolutions=[16])))
ONCE_FOR_ALL = NestedSpace(
    GenotypeSpace(once_for_all(width=0.25, resolutions=[32], depths=(1, 2), kernels=(3, 5, 7), classes=10))
)
SPACES = {"elasticvit": ELASTICVIT, "once_for_all": ONCE_FOR_ALL}


def weights_of(nets: NestedSpace, *, transforms: bool = False) -> NestedWeights:
    torch.manual_seed(0)
    weights = NestedWeights(nets.space.decode(nets.largest).build(), transforms=transforms)
    with torch.no_grad():
        for parameter in weights.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    return weights


def network_of(nets: NestedSpace, seed: int) -> nn.Module:
    network: nn.Module = nets.space.decode(nets.random(np.random.default_rng(seed))).build()
    return network


def images_for(nets: NestedSpace, count: int = 8) -> torch.Tensor:
    shape = nets.space.decode(nets.largest).input_shape
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_network_cut_out_gives_the_supernets_own_output(name: str, seed: int) -> None:
    nets = SPACES[name]
    weights, shared, images = weights_of(nets), network_of(nets, seed), images_for(nets)
    cut = network_of(nets, seed)
    weights.give(cut)
    for network in (shared.train(), cut.train()):  # by the batch's own statistics
        assert torch.allclose(weights(network, images), cut(images), atol=1e-5)
    for network in (shared, cut):
        re_estimate(network if network is cut else _Shared(weights, network), Part(images, torch.zeros(8)), 8, 4)
    assert torch.allclose(weights(shared, images), cut(images), atol=1e-5)


class _Shared(nn.Module):
    """A network that runs on shared weights."""

    def __init__(self, weights: NestedWeights, network: nn.Module) -> None:
        super().__init__()
        self.network, self._weights = network, (weights,)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self._weights[0](self.network, images)
        return outputs


@pytest.mark.parametrize("name", SPACES)
def test_what_is_given_is_what_is_inherited(name: str) -> None:
    nets = SPACES[name]
    weights, given, inheriting = weights_of(nets), network_of(nets, 3), network_of(nets, 3)
    weights.give(given)
    inherit(inheriting, weights.largest.state_dict())
    own = dict(inheriting.named_parameters())
    assert all(torch.equal(parameter, own[name]) for name, parameter in given.named_parameters())


def gradient(network: nn.Module, name: str) -> torch.Tensor:
    found = network.get_parameter(name).grad
    assert found is not None
    return found


def test_gradients_are_those_of_the_network_and_zero_elsewhere() -> None:
    weights, network, images = weights_of(ELASTICVIT), network_of(ELASTICVIT, 0), images_for(ELASTICVIT)
    torch.autograd.backward(functional.cross_entropy(weights(network.train(), images), torch.arange(8)))
    alone = network_of(ELASTICVIT, 0).train()
    weights.give(alone)
    torch.autograd.backward(functional.cross_entropy(alone(images), torch.arange(8)))
    found, expected = (gradient(network, "head.widen.weight") for network in (weights.largest, alone))
    rows, columns = expected.shape
    assert torch.allclose(found[:rows, :columns], expected, atol=1e-6)
    assert found.abs().sum() == pytest.approx(found[:rows, :columns].abs().sum().item())
    assert rows < found.shape[0]


def test_a_smaller_kernel_is_a_matrix_times_the_middle_of_the_next() -> None:
    weights = NestedWeights(nn.Sequential(nn.Conv2d(2, 2, 7, padding=3, groups=2, bias=False)), transforms=True)
    assert sum(each.numel() for each in weights.transforms.values()) == 706
    whole = weights.largest.get_parameter("0.weight")
    small = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, groups=2, bias=False))
    assert torch.equal(weights.parts(small)["0.weight"], whole[..., 2:5, 2:5])
    first, second = torch.randn(25, 25), torch.randn(9, 9)
    with torch.no_grad():
        weights.transforms["0/weight/5"].copy_(first)
        weights.transforms["0/weight/3"].copy_(second)
    five = (whole[:, :, 1:6, 1:6].reshape(2, 1, 25) @ first.T).view(2, 1, 5, 5)
    three = (five[..., 1:4, 1:4].reshape(2, 1, 9) @ second.T).view(2, 1, 3, 3)
    assert torch.allclose(weights.parts(small)["0.weight"], three, atol=1e-5)
    torch.autograd.backward(weights(small, torch.ones(1, 2, 8, 8)).sum())
    assert weights.transforms["0/weight/5"].grad is not None


def test_what_was_trained_is_loaded_again() -> None:
    first, second = (weights_of(ONCE_FOR_ALL, transforms=True) for _ in range(2))
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.zero_()
    load_weights(second, trained(first))
    assert all(torch.equal(mine, yours) for mine, yours in zip(first.parameters(), second.parameters(), strict=True))


def test_a_network_that_does_not_lie_within_is_refused() -> None:
    weights = NestedWeights(nn.Sequential(nn.Linear(2, 2)))
    with pytest.raises(ValueError, match=r"has no 1\.bias: the space's networks do not lie within it"):
        weights.parts(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
    with pytest.raises(ValueError, match=r"do not lie within \(2, 2\)"):
        weights.parts(nn.Sequential(nn.Linear(3, 2)))


def test_a_network_is_built_without_initial_weights() -> None:
    candidate = ONCE_FOR_ALL.space.decode(ONCE_FOR_ALL.smallest)
    state = torch.random.get_rng_state()
    network = build_unfilled(candidate)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert network.state_dict().keys() == candidate.build().state_dict().keys()


def test_statistics_are_the_mean_over_batches_and_none_are_left_of_before() -> None:
    norm = nn.BatchNorm1d(1)
    network = nn.Sequential(norm)
    norm.running_mean = torch.tensor([100.0])
    part = Part(torch.tensor([[0.0], [2.0], [4.0], [6.0]]), torch.zeros(4))
    re_estimate(network, part, 4, 2)
    assert norm.running_mean.tolist() == [3.0]
    assert norm.momentum == 0.1
    assert not network.training
    re_estimate(network, part, 2, 64)
    assert norm.running_mean.item() in (1.0, 2.0, 3.0, 4.0, 5.0)


def test_images_are_brought_to_a_networks_side() -> None:
    images = torch.ones(1, 3, 32, 32)
    assert fitted(images, 24).shape == (1, 3, 24, 24)
    assert fitted(images, 32) is images
    assert fitted(images, None) is images
