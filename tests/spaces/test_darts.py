"""DARTS: its size, published counts, and that what is built is what is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from spaces_built import built_counts

from hardware_models import counts
from hardware_models.torch_ops import build, example_inputs
from spaces.darts import CELLS, OPERATIONS, STACKS, darts, from_edges, published
from spaces.genotype import GenotypeSpace

PUBLISHED = {"DARTS-v2": (3_349_342, 528_359_040), "DARTS-v2 ImageNet": (4_718_752, 529_911_552)}
SMALL: dict[str, Any] = {"cells": 4, "filters": 4, "resolution": 8, "image_channels": 1}


def test_two_distinct_earlier_states_and_seven_operations_for_each_node() -> None:
    space = GenotypeSpace(darts())
    assert space.size == (1 * 3 * 6 * 10 * 7**8) ** 2
    cells = [space.decode(row).normal for row in space.sample(50, np.random.default_rng(0))]
    sources = {tuple(cell.nodes[2].inputs) for cell in cells}
    assert sources == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    ops = published(name).ops()
    assert (counts.params(ops), counts.macs(ops)) == PUBLISHED[name]
    assert built_counts(published(name)) == PUBLISHED[name]


def test_published_counts_by_part() -> None:
    ops = published("DARTS-v2").ops()
    assert counts.params(ops, norms=False, biases=False) == 3_308_940
    assert counts.params(ops) - counts.params(ops, norms=False) == 40_392


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_has_a_genotype(name: str) -> None:
    space, network = GenotypeSpace(darts(**STACKS[name])), published(name)
    assert space.decode(space.encode(network)) == network


def test_the_cells_of_the_first_order_search() -> None:
    network = published("DARTS-v1 ImageNet")
    assert [node.inputs for node in network.normal.nodes] == [[0, 1], [0, 1], [0, 1], [0, 2]]
    assert network.reduction.nodes[3].operations == ["avg_pool_3x3", "skip_connect"]
    assert counts.params(published("DARTS-v1").ops()) == built_counts(published("DARTS-v1"))[0] == 3_169_414


def test_any_two_cells_as_papers_write_them() -> None:
    normal: list[tuple[str, int]] = [("sep_conv_3x3", 0), ("dil_conv_5x5", 1)] + [
        ("skip_connect", 1),
        ("max_pool_3x3", 0),
    ] * 3
    network = from_edges(normal, normal, **SMALL)
    assert network.normal.code[1] == ((0, "max_pool_3x3"), (1, "skip_connect"))
    space = GenotypeSpace(darts(**SMALL))
    assert space.decode(space.encode(network)) == network


@pytest.mark.parametrize(("first", "words"), [
    ([("none", 0), ("skip_connect", 1)], "different sources from 0 to 1 and operations of max_pool_3x3, avg_pool"),
    ([("skip_connect", 1), ("skip_connect", 1)], "node 2 needs two different sources from 0 to 1"),
    ([("skip_connect", 0), ("skip_connect", 2)], "node 2 needs two different sources from 0 to 1"),
    ([("skip_connect", 0)], "a cell has 8 edges, two for each of its nodes; got 7"),
])  # fmt: skip
def test_wrong_cells_are_refused(first: list[tuple[str, int]], words: str) -> None:
    normal, reduction = CELLS["DARTS-v2"]
    with pytest.raises(ValueError, match=words):
        from_edges([*first, *normal[2:]], reduction)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match="no published network is called 'DARTS-v9'; there are DARTS-v1, "):
        published("DARTS-v9")


def test_reduction_cells_stand_at_one_and_two_thirds() -> None:
    places = {name: list(published(name).places()) for name in PUBLISHED}
    found = {name: [at for at, place in enumerate(places[name]) if place.reduction] for name in PUBLISHED}
    assert found == {"DARTS-v2": [6, 13], "DARTS-v2 ImageNet": [4, 9]}
    assert [name for name in PUBLISHED if places[name][0].after_reduction] == ["DARTS-v2 ImageNet"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_built_is_what_is_counted(operation: str) -> None:
    candidate = darts(**SMALL)
    nodes = {f"{cell}.nodes[{at}].operations": [operation] * 2 for cell in ("normal", "reduction") for at in range(4)}
    inputs = {f"{cell}.nodes[{at}].inputs": [at - 1, at + 1] for cell in ("normal", "reduction") for at in (1, 2, 3)}
    candidate.rebind(nodes | inputs)
    ops = candidate.ops()
    assert built_counts(candidate) == (counts.params(ops), counts.macs(ops))


@pytest.mark.parametrize(
    "settings",
    [
        SMALL,
        {"cells": 3, "filters": 3, "resolution": 5},
        {"cells": 5, "filters": 6, "resolution": 35, "stem": "imagenet"},
    ],
)
def test_random_networks_are_what_is_counted(settings: dict[str, Any]) -> None:
    space = GenotypeSpace(darts(**settings))
    for row in space.sample(5, np.random.default_rng(5)):
        ops = space.decode(row).ops()
        assert built_counts(space.decode(row)) == (counts.params(ops), counts.macs(ops))


def test_operators_can_be_run_and_timed() -> None:
    generator = torch.Generator().manual_seed(0)
    for op in set(published("DARTS-v2").ops()):
        assert build(op)(*example_inputs(op, 2, generator)).shape == (2, *op.output)


def test_a_small_network_gives_logits_and_gradients_to_every_weight() -> None:
    torch.manual_seed(0)
    space = GenotypeSpace(darts(**SMALL))
    network = space.decode(space.sample(1, np.random.default_rng(3))[0]).build()
    logits = network(torch.randn(4, 1, 8, 8))
    logits.sum().backward()
    assert logits.shape == (4, 10)
    assert all(weights.grad is not None for weights in network.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stem": "mnist"}, "stem must be 'cifar' or 'imagenet', got 'mnist'"),
        ({"cells": 2}, "cells must be at least 3, .* got 2, 36, 32, 10 and 3"),
        ({"stem": "imagenet", "resolution": 31}, "resolution 32, .* got 20, 36, 31"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        darts(**settings)
