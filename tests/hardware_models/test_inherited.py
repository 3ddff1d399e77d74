"""Weights within larger ones: leading channels, and the middle of what has places."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hardware_models.inherited import inherit, part_of


def test_leading_channels_and_the_middle_of_a_kernel() -> None:
    whole = torch.arange(2 * 3 * 5 * 5).reshape(2, 3, 5, 5)
    assert torch.equal(part_of(whole, (1, 2, 3, 3)), whole[:1, :2, 1:4, 1:4])


def test_vectors_and_matrices_are_leading() -> None:
    assert part_of(torch.arange(5), (2,)).tolist() == [0, 1]
    assert part_of(torch.arange(6).reshape(2, 3), (1, 2)).tolist() == [[0, 1]]
    assert part_of(torch.tensor(7), ()).item() == 7


def test_a_part_is_a_view() -> None:
    whole = torch.zeros(4, 4)
    part_of(whole, (2, 2)).fill_(1.0)
    assert whole.sum() == 4


@pytest.mark.parametrize("shape", [(4,), (2, 3), (5, 2)])
def test_what_does_not_lie_within_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"do not lie within \(4, 2\)"):
        part_of(torch.zeros(4, 2), shape)


def test_statistics_are_inherited_too() -> None:
    larger, smaller = nn.BatchNorm1d(4), nn.BatchNorm1d(2)
    larger.running_mean = torch.arange(4.0)
    inherit(smaller, larger.state_dict())
    assert smaller.running_mean.tolist() == [0.0, 1.0]


def test_a_name_that_the_larger_network_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="the larger network has no bias"):
        inherit(nn.Linear(2, 2), nn.Linear(3, 3, bias=False).state_dict())
