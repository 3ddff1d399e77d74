"""The channel groups of networks: which channels go together, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from spaces.pruning.channels import channels
from tests.spaces.pruning.nets import NETS, VGG, Mixer, ResNet, Shuffled


def groups(model: nn.Module) -> dict[str, int]:
    return {group.name: group.width for group in channels(model, (3, 16, 16)).groups}


def test_a_chain_has_a_group_for_each_layer_but_the_last() -> None:
    assert groups(VGG()) == {"0": 8, "2": 12, "6": 16, "10": 24}


def test_shortcuts_of_convolutions_tie_a_stage() -> None:
    found = groups(ResNet("B"))
    assert list(found.values()) == [8, 8, 16, 16, 32, 32]
    assert list(found)[:4] == ["stem.0", "blocks.0.conv1.0", "blocks.1.project.0", "blocks.1.conv1.0"]


def test_padded_shortcuts_tie_a_stage_to_parts_of_the_next() -> None:
    found = channels(ResNet("A"), (3, 16, 16))
    by_name = {group.name: group for group in found.groups}
    assert [by_name[name].width for name in ("stem.0", "blocks.1.conv2.0", "blocks.2.conv2.0")] == [8, 8, 16]
    second = found.layers["blocks.1.conv2.0"].outputs
    assert second[4:12].tolist() == by_name["stem.0"].atoms.tolist()


def test_resnet_20_has_the_known_groups() -> None:
    sizes = sorted(groups(ResNet("B", depth=3, width=16)).values())
    assert (len(sizes), sum(sizes)) == (12, 448)


def test_grouped_convolutions_lose_as_much_of_each_group() -> None:
    assert groups(Shuffled()) == {"stem.0": 6, "first.0": 4, "branch.0": 6}


def test_what_is_not_understood_stays_whole_and_says_why() -> None:
    found = channels(Mixer(), (3, 16, 16))
    assert [group.name for group in found.groups] == ["wide"]
    assert found.kept["norm"] == "its statistics are those of all channels"


def test_shared_weights_stay_whole() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    model = nn.Sequential(nn.Linear(3, 4), first, nn.ReLU(), second, nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    assert [group.name for group in channels(model, (3,)).groups] == ["4"]


def test_the_model_stays_as_it_is() -> None:
    model = NETS["vgg"]()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    channels(model, (3, 16, 16))
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs) if inputs.sum() > 0 else inputs


def test_a_forward_that_cannot_be_traced_is_refused() -> None:
    with pytest.raises(ValueError, match=r"forward of Branching cannot be traced by torch\.fx"):
        channels(Branching(), (3,))


def test_a_model_without_free_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Sequential has no channels that could be pruned \(output: it is returned\)"):
        channels(nn.Sequential(nn.Linear(3, 4)), (3,))
