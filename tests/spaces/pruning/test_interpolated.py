"""Costs between the widths of a grid: exact where the model is asked, and where a cost is a product of two widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hardware_models._base import MissingEntry
from hardware_models.counts import Counts, macs
from hardware_models.device_sheet import device_sheet
from hardware_models.measurement import Measurement
from hardware_models.profiler import profile
from hardware_models.roofline import Roofline
from spaces.pruning.prunable import Prunable
from tests.spaces.pruning.nets import NETS, VGG, DenseNet, resnet_b

MACS = Counts(("macs",))
PI4 = Roofline(device_sheet("raspberrypi4"))
RNG = np.random.default_rng(0)


def widths_of(network: Prunable, share: float) -> np.ndarray:
    return np.array([[max(1, round(group.width * share)) for group in network.groups]])


@pytest.mark.parametrize("make", [resnet_b, VGG])
def test_products_of_two_widths_are_exact(make: Callable[[], nn.Module]) -> None:
    network = Prunable(make, (3, 16, 16))
    widths = np.array([[RNG.integers(1, group.width + 1) for group in network.groups] for _ in range(5)])
    inside = np.maximum(widths, widths_of(network, 0.125))
    assert network.costs(MACS).numbers(inside) == pytest.approx(network.products(inside.astype(float)))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
@pytest.mark.parametrize("share", [0.25, 0.75, 1.0])
def test_points_of_the_grid_cost_what_the_model_says(make: Callable[[], nn.Module], share: float) -> None:
    network = Prunable(make, (3, 16, 16))
    widths = widths_of(network, share)
    expected = PI4(network.graph(tuple(widths[0].tolist())))[PI4.metrics[0]]
    assert network.costs(PI4).numbers(widths) == pytest.approx([expected])


def test_between_two_points_lies_what_is_between() -> None:
    network = Prunable(DenseNet, (3, 16, 16))
    low, middle, high = (network.costs(PI4).numbers(widths_of(network, share))[0] for share in (0.5, 0.6, 0.75))
    assert low < middle < high


def test_the_gradient_is_that_of_the_products() -> None:
    network = Prunable(VGG, (3, 16, 16))
    costs = [macs(network.graph(widths)) for widths in ((4, 7, 9, 13), (5, 7, 9, 13))]
    at = torch.tensor([[4.5, 7.0, 9.0, 13.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(network.costs(MACS)(at).sum(), at)
    assert float(gradient[0, 0]) == pytest.approx(costs[1] - costs[0])


def test_the_grid_is_what_has_to_be_measured() -> None:
    network = Prunable(VGG, (3, 16, 16))
    table = profile(network.grid[:2], rounds=2)
    with pytest.raises(MissingEntry, match="latency table"):
        network.costs(table)
    known: Any = {op: Measurement(1.0, 8, 1.0, 1.0, 1.0, (1.0, 1.0)) for op in network.grid}
    object.__setattr__(table, "entries", known)
    assert network.costs(table).numbers(widths_of(network, 0.3)) == pytest.approx([len(network.operators.templates)])
