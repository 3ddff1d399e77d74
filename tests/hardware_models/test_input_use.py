"""Networks that ignore their input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hardware_models.input_use import uses_input
from tests.hardware_models.small_networks import IMAGE, chain_network


class Cut(nn.Module):
    """Multiplies its input by nothing."""

    def forward(self, images: Tensor) -> Tensor:
        """Return zeros."""
        return 0 * images.mean((1, 2, 3))


def test_a_network_uses_its_input():
    assert uses_input(chain_network(8, 2), IMAGE)


def test_a_network_may_be_cut_off_from_its_input():
    assert not uses_input(Cut(), IMAGE)


def test_the_network_is_left_as_it_was():
    network = chain_network(8, 1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    uses_input(network, IMAGE)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
