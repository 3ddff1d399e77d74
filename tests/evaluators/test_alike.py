"""Supernets whose choices begin as parts of the largest of their layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from evaluators._alike import start_alike
from evaluators.supernet import Choices, Supernet
from spaces.genotype import GenotypeSpace
from spaces.proxylessnas import OPERATIONS, proxylessnas


@pytest.fixture(scope="module")
def layer() -> Choices:
    torch.manual_seed(0)
    space = GenotypeSpace(proxylessnas(width=0.25, resolution=16, classes=10, depths=(2, 1, 1, 1, 1, 1)))
    supernet = Supernet(space)
    start_alike(supernet)
    [found] = [part for part in supernet.layers if isinstance(part, Choices) and len(part.choices) == len(OPERATIONS)]
    return found


def outputs(layer: Choices, operation: str) -> Tensor:
    return layer.choices[OPERATIONS.index(operation)](
        torch.randn(8, 8, 6, 6, generator=torch.Generator().manual_seed(1))
    )


def test_kernels_of_any_size_compute_the_same_at_first(layer: Choices) -> None:
    assert torch.equal(outputs(layer, "k3e3"), outputs(layer, "k7e3"))
    assert torch.equal(outputs(layer, "k3e6"), outputs(layer, "k5e6"))
    assert not torch.equal(outputs(layer, "k3e3"), outputs(layer, "k3e6"))


def test_fewer_channels_are_the_leading_ones(layer: Choices) -> None:
    weights = {name: dict(layer.choices[OPERATIONS.index(name)].named_parameters()) for name in ("k5e3", "k7e6")}
    shapes = {name: part.shape for name, part in weights["k7e6"].items() if part.ndim == 4}
    first = next(iter(shapes))
    assert torch.equal(weights["k5e3"][first], weights["k7e6"][first][:24])
    assert shapes[first] == (48, 8, 1, 1)


def test_the_borders_of_kernels_learn() -> None:
    largest, smallest = nn.Conv2d(2, 2, 5, padding=2), nn.Conv2d(2, 2, 3, padding=1)
    supernet = nn.Module()
    supernet.layers = nn.ModuleList([Choices([smallest, largest])])
    start_alike(supernet)  # type: ignore[arg-type]
    largest(torch.randn(4, 2, 6, 6)).square().sum().backward()
    assert (largest.weight[:, :, 0] == 0).all()
    assert (largest.weight.grad[:, :, 0] != 0).all()
