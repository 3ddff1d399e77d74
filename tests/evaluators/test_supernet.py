"""Supernets: any network's weights come out of one, and spaces that are no chains are refused in words."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pyglove as pg
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_chains import convolutions
from torch import nn

from evaluators._chain_decisions import decisions_of
from evaluators.paths import one_path
from evaluators.supernet import Supernet, inherit
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv
from spaces.nasbench201 import nasbench201
from spaces.proxylessnas import proxylessnas

SPACES = {
    "convolutions": (convolutions, (1, 12, 12)),
    "proxylessnas": (lambda: GenotypeSpace(proxylessnas(width=0.25, classes=10)), (3, 32, 32)),
}


@cache
def supernet(name: str) -> tuple[GenotypeSpace, Supernet]:
    space = SPACES[name][0]()
    torch.manual_seed(0)
    return space, Supernet(space).eval()


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=6)
def test_a_genotype_its_json_and_the_supernet_are_one_network(name: str, seed: int) -> None:
    space, network = supernet(name)
    row = space.sample(1, np.random.default_rng(seed))[0]
    images = torch.randn(2, *SPACES[name][1], generator=torch.Generator().manual_seed(seed))
    weights = inherit(network.state_dict(), row)
    for genotype in (row, space.from_json(json.loads(json.dumps(space.to_json(row))))):
        alone = space.decode(genotype).build().eval()
        alone.load_state_dict(weights)
        assert torch.equal(alone(images), network(images, one_path(row)))


def test_weights_are_called_by_layer_and_choice() -> None:
    _, network = supernet("convolutions")
    names = list(network.state_dict())
    assert "layers.1.choices.2.0.weight" in names
    assert "layers.0.weight" in names
    assert not any(name.startswith("layers.3.choices.0.") for name in names)
    assert network.columns.tolist() == [-1, 0, 1, 2]


def test_a_state_that_is_no_supernets_is_refused() -> None:
    with pytest.raises(ValueError, match="not the state of a supernet: expected an entry `columns`"):
        inherit({"weight": torch.zeros(1)}, np.zeros(1))


def test_few_networks_are_built_however_many_there_are() -> None:
    space = GenotypeSpace(proxylessnas(width=0.25))
    assert space.width == 21
    built: list[object] = []
    with torch.nn.modules.module.register_module_module_registration_hook(
        lambda parent, name, child: built.append(name)
    ):
        found = decisions_of(space)
    assert built.count("head") == 21  # three a choice; one decision at a time they would be 1 + 6 x 15 + 5 x 6
    assert found.columns == tuple(range(21))


def test_equal_seeds_give_equal_supernets() -> None:
    torch.manual_seed(0)
    again = Supernet(convolutions())
    state = supernet("convolutions")[1].state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in again.state_dict().items())


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (convolutions(stem=pg.oneof([3, 4])), r"the stem changes with decision 'stem'; .* fix the others"),
        (convolutions(classes=pg.oneof([8, 10])), "the head changes with decision 'classes'"),
        (convolutions(layers=pg.oneof([2, 3])), "the number of layers changes with decision 'layers'"),
        (convolutions(width=pg.oneof([2, 4]), stem=2), "the stem changes with decision 'width'"),
        (convolutions(dropout=pg.floatv(0.1, 0.5)), "decision 'dropout' is an open float"),
        (GenotypeSpace(mbconv()), "depends on"),
        (GenotypeSpace(nasbench201()), "this space builds Network"),
        (
            convolutions(kernels=pg.manyof(2, [1, 3, 5])),
            "choices of a distinct or sorted `manyof` depend on each other",
        ),
    ],
)
def test_a_space_that_is_no_chain_is_refused(space: GenotypeSpace, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Supernet(space)


class Scaled(pg.Object):  # type: ignore[misc]
    scales: list[float]
    shift: float = 0.0
    twice: bool = False
    unused: int = 0

    def build(self) -> nn.Module:
        scales = self.scales * 2 if self.twice else self.scales
        network = nn.Module()
        network.stem, network.head = nn.Identity(), nn.Identity()
        network.layers = nn.ModuleList(
            nn.Threshold(scale, self.shift if place == 0 else 0.0) for place, scale in enumerate(scales)
        )
        return network


def scaled(**settings: object) -> GenotypeSpace:
    return GenotypeSpace(Scaled(scales=[pg.oneof([1.0, 2.0, 3.0]), pg.oneof([1.0, 2.0])], **settings))


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (scaled(shift=pg.oneof([0.0, 1.0])), r"layer 0 changes with decisions 'scales\[0\]' and 'shift'"),
        (scaled(twice=True), r"decision 'scales\[0\]' changes layers 0 and 2"),
        (scaled(unused=pg.oneof([0, 1])), "decision 'unused' changes no layer"),
    ],
)
def test_decisions_and_layers_must_be_one_to_one(space: GenotypeSpace, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Supernet(space)


def test_settings_without_weights_tell_choices_apart() -> None:
    assert [layer.choices[1].threshold for layer in Supernet(scaled()).layers] == [2.0, 2.0]
