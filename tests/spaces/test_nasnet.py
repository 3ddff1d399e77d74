"""NASNet: its size, published counts, places, widths, and that what is built is what is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from spaces_built import built_counts
from torch import nn

from hardware_models import counts
from hardware_models.torch_ops import build, example_inputs
from spaces._nasnet_nets import STACKS, TITLES
from spaces.genotype import GenotypeSpace
from spaces.nasnet import OPERATIONS, Block, Cell, NASNet, nasnet, published

PUBLISHED = {
    "nasnet_a_mobile": (5_289_978, 563_638_816),
    "nasnet_a_large": (88_753_150, 23_783_414_658),
    "nasnet_a_cifar": (3_346_538, 544_333_312),
}
SMALL: dict[str, Any] = {"cells": 3, "filters": 4, "resolution": 8, "image_channels": 1}


def chain_of(operation: str, combine: str = "add", **settings: Any) -> NASNet:
    """Return a network whose blocks each read the state before them, and state 1."""
    network = nasnet(**(SMALL | settings))
    blocks = [Block(state if state == 0 else state + 1, 1, operation, "identity", combine) for state in range(5)]
    network.rebind({"normal": Cell(blocks), "reduction": Cell([block.clone() for block in blocks])})
    return network


def drawn(count: int, seed: int, **settings: Any) -> list[NASNet]:
    space = GenotypeSpace(nasnet(**settings))
    return [space.decode(row) for row in space.sample(count, np.random.default_rng(seed))]


def test_five_choices_a_block_five_blocks_a_cell_two_cells() -> None:
    space = GenotypeSpace(nasnet())
    assert (space.width, space.size) == (50, (2**5 * 13**10 * (2 * 3 * 4 * 5 * 6) ** 2) ** 2)
    assert len(OPERATIONS) == 13
    assert [column.cardinality for column in space.columns[:6]] == [2, 2, 13, 13, 2, 3]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    ops = published(name).ops()
    assert (counts.params(ops), counts.macs(ops)) == PUBLISHED[name]
    assert built_counts(published(name)) == PUBLISHED[name]


def test_published_counts_by_part() -> None:
    ops = published("nasnet_a_cifar").ops()
    assert counts.params(ops, norms=False, biases=False) == 3_309_280
    assert counts.params(ops) - counts.params(ops, norms=False) == 37_248


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_has_a_genotype(name: str) -> None:
    space = GenotypeSpace(nasnet(**STACKS[name]))
    assert space.decode(space.encode(published(name))) == published(name)


def test_titles_name_the_same_networks() -> None:
    assert {title: published(title) == published(name) for title, name in TITLES.items()} == dict.fromkeys(TITLES, True)
    with pytest.raises(ValueError, match="no published network is called 'nasnet_b'; there are nasnet_a_mobile, "):
        published("nasnet_b")


def test_nasnet_a_puts_out_a_state_of_each_cell_that_blocks_read() -> None:
    network = published("nasnet_a_cifar")
    assert (network.normal.code.concat, network.reduction.code.concat) == ((1, 2, 3, 4, 5, 6), (3, 4, 5, 6))
    network.rebind({"normal.kept": (), "reduction.kept": ()})
    assert (network.normal.code.concat, network.reduction.code.concat) == ((2, 3, 4, 5, 6), (4, 5, 6))


def test_reduction_cells_stand_before_one_and_two_thirds() -> None:
    places = list(published("nasnet_a_mobile").places())
    assert [number for number, place in enumerate(places) if place.reduction] == [0, 1, 6, 11]
    assert [place.filters for place in places] == [11, 22, *[44] * 4, *[88] * 5, *[176] * 5]


def test_a_skipped_reduction_cell_is_passed_by_from_further_back() -> None:
    places = list(published("nasnet_a_large").places())
    assert [number for number, place in enumerate(places) if place.back == 3] == [9, 16]
    assert {place.back for place in published("nasnet_a_mobile").places()} == {1, 2}


@pytest.mark.parametrize(("combine", "width"), [("add", 1), ("concat", 2)])
def test_the_output_is_as_wide_as_the_states_that_nobody_reads(combine: str, width: int) -> None:
    code = chain_of("conv_1x1", combine).normal.code
    assert code.concat == (6,)
    assert code.widths == (1, 1, *[width] * 5)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("combine", ["add", "concat"])
def test_what_is_built_is_what_is_counted(operation: str, combine: str) -> None:
    candidate = chain_of(operation, combine)
    ops = candidate.ops()
    assert built_counts(candidate) == (counts.params(ops), counts.macs(ops))


@pytest.mark.parametrize(
    "settings",
    [
        SMALL,
        {"cells": 2, "filters": 3, "resolution": 5, "skip_reduction": True, "reduction_kept": (0,)},
        {"cells": 4, "filters": 8, "resolution": 40, "stem": "imagenet", "normal_kept": (0, 1)},
        {"cells": 5, "filters": 12, "resolution": 35, "stem": "imagenet", "skip_reduction": True},
    ],
)
def test_random_networks_are_what_is_counted(settings: dict[str, Any]) -> None:
    for candidate in drawn(5, 5, **settings):
        ops = candidate.ops()
        assert built_counts(candidate) == (counts.params(ops), counts.macs(ops))


def test_operators_can_be_run_and_timed() -> None:
    generator = torch.Generator().manual_seed(0)
    for op in set(drawn(1, 4, **SMALL)[0].ops()):
        assert build(op)(*example_inputs(op, 2, generator)).shape == (2, *op.output)


def test_shapes_are_those_of_the_features() -> None:
    candidate = drawn(1, 2, cells=4, filters=8, resolution=41, stem="imagenet")[0]
    network, seen = candidate.build().eval(), []
    for cell in network.cells:
        cell.register_forward_hook(lambda _module, _inputs, output: seen.append(tuple(output.shape[1:])))
    with torch.inference_mode():
        network(torch.zeros(1, *candidate.input_shape))
    joined = [op.output for op in candidate.ops() if op.kind == "concat"]
    assert set(seen) <= {*joined, *(op.output for op in candidate.ops())}
    assert [shape[1] for shape in seen] == [10, 5, 5, 3, 3, 2, 2, 2]


def test_a_small_network_gives_logits_and_gradients_to_every_weight() -> None:
    torch.manual_seed(0)
    network = drawn(1, 3, **SMALL)[0].build()
    logits = network(torch.randn(4, 1, 8, 8))
    logits.sum().backward()
    assert logits.shape == (4, 10)
    assert all(weights.grad is not None for weights in network.parameters())


@pytest.mark.parametrize(("stem", "eps"), [("cifar", 1e-5), ("imagenet", 1e-3)])
def test_norms_add_what_the_published_ones_do(stem: str, eps: float) -> None:
    network = chain_of("identity", stem=stem, filters=8, resolution=32).build()
    assert {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {eps}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stem": "mnist"}, "stem must be 'cifar' or 'imagenet', got 'mnist'"),
        ({"cells": 1}, "cells must be at least 2, resolution 4, .* got 1, 32"),
        ({"stem": "imagenet", "resolution": 31}, "resolution 32, .* got 6, 31"),
        ({"stem": "imagenet", "filters": 42, "resolution": 64}, "a multiple of 4 from 8 on, got 42"),
        ({"drop_path_keep": 0.0}, r"drop_path_keep must be in \(0, 1\]"),
        ({"normal_kept": (7,)}, r"must be from 0 to 6, got \(7,\)"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nasnet(**settings)
