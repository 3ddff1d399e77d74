"""The TinyNet space: its size, the published networks' counts, and the width that a budget leaves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from spaces_built import built_counts

from hardware_models import counts
from spaces.genotype import GenotypeSpace
from spaces.tinynet import DEPTHS, NETS, WIDTHS, TinyNet, published, tinynet, width_for

COUNTED = {
    "TinyNet-A": (6_123_232, 6_187_972, 336_867_712, 339e6),
    "TinyNet-B": (3_688_944, 3_730_562, 200_709_360, 202e6),
    "TinyNet-C": (2_430_192, 2_457_234, 99_536_432, 100e6),
    "TinyNet-D": (2_316_048, 2_338_446, 51_580_656, 52e6),
    "TinyNet-E": (2_024_992, 2_042_972, 24_356_848, 24e6),
    "EfficientNet-B0": (5_236_192, 5_288_548, 385_814_752, 387e6),
}
"""Weights of layers alone, all weights, multiply-accumulates, and these as published."""


def counted(network: TinyNet) -> tuple[int, int]:
    return counts.params(network.ops()), counts.macs(network.ops())


@pytest.mark.parametrize(("name", "expected"), COUNTED.items())
def test_published_networks(name: str, expected: tuple[int, int, int, float]) -> None:
    network = published(name)
    assert counted(network) == built_counts(network) == expected[1:3]
    assert counts.params(network.ops(), norms=False, biases=False) == expected[0]
    assert expected[2] == pytest.approx(expected[3], rel=0.015)


@pytest.mark.parametrize(
    ("name", "depths", "widths"),
    [
        ("TinyNet-A", (1, 2, 2, 4, 4, 5, 1), (16, 24, 40, 80, 112, 192, 320)),
        ("TinyNet-B", (1, 2, 2, 3, 3, 4, 1), (16, 24, 32, 64, 88, 144, 240)),
        ("TinyNet-C", (1, 2, 2, 3, 3, 3, 1), (8, 16, 24, 40, 64, 104, 176)),
        ("TinyNet-D", (1, 1, 1, 2, 2, 3, 1), (8, 16, 24, 40, 64, 104, 176)),
        ("TinyNet-E", (1, 1, 1, 2, 2, 2, 1), (8, 16, 24, 40, 56, 96, 160)),
        ("EfficientNet-B0", (1, 2, 2, 3, 3, 4, 1), (16, 24, 40, 80, 112, 192, 320)),
    ],
)
def test_blocks_and_channels_are_rounded(name: str, depths: tuple[int, ...], widths: tuple[int, ...]) -> None:
    network = published(name)
    assert (network.depths, network.widths, network.head) == (depths, widths, 1280)


@pytest.mark.parametrize("name", NETS)
def test_a_published_network_runs_and_has_a_genotype(name: str) -> None:
    network = published(name)
    space = GenotypeSpace(tinynet())
    assert space.decode(space.encode(network)) == network
    small = network.rebind(resolution=32, classes=7)
    with torch.inference_mode():
        assert small.build().eval()(torch.zeros(2, *small.input_shape)).shape == (2, 7)


def test_the_size_is_that_of_the_lists() -> None:
    assert GenotypeSpace(tinynet()).size == 65 * 10 * 16
    assert GenotypeSpace(tinynet([96], [1], [0.5, 2], classes=3)).size == 2


def test_the_lists_leave_no_depth_out_and_name_no_network_twice() -> None:
    listed = [TinyNet(224, depth, 1.0).depths for depth in DEPTHS]
    assert {TinyNet(224, number / 1000, 1.0).depths for number in range(500, 1500)} == set(listed)
    assert len(set(listed)) == len(listed) - 1
    assert TinyNet(224, 1.0, 1.0).depths == TinyNet(224, 1.1, 1.0).depths
    assert len({TinyNet(224, 1.0, width).widths for width in WIDTHS}) == len(WIDTHS)


@pytest.mark.parametrize("setting", [(33, 1.4, 1.2), (96, 0.3, 0.1), (64, 1.0, 2.0)])
def test_the_built_network_is_what_is_counted(setting: tuple[int, float, float]) -> None:
    network = TinyNet(*setting, 10)
    ops = network.ops()
    assert counted(network) == built_counts(network)
    assert all(after.inputs[0] == before.output for before, after in pairwise(ops))


def test_the_head_grows_with_the_width_and_never_shrinks() -> None:
    assert [TinyNet(224, 1.0, width).head for width in (0.5, 1.0, 1.2)] == [1280, 1280, 1536]


def test_gates_are_a_quarter_of_a_blocks_input() -> None:
    second = published("EfficientNet-B0").ops()[2]
    [gates] = [op for op in second.inner if op.kind == "squeeze_excitation"]
    assert [(op.kind, op.output) for op in gates.inner][1:5] == [
        ("conv2d", (4, 1, 1)), ("silu", (4, 1, 1)), ("conv2d", (96, 1, 1)), ("sigmoid", (96, 1, 1))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found"),
    [("TinyNet-A", 1.0), ("TinyNet-B", 0.76), ("TinyNet-C", 0.54), ("TinyNet-D", 0.54), ("TinyNet-E", 0.51)],
)
def test_the_published_widths_follow_from_their_budgets(name: str, found: float) -> None:
    network = published(name)
    width = width_for(counts.macs(network.ops()), network.resolution, network.depth)
    assert width == found
    assert TinyNet(network.resolution, network.depth, width).widths == network.widths


@pytest.mark.parametrize(("macs", "resolution", "depth", "step"), [(150e6, 160, 1.2, 0.001), (2e9, 224, 1.0, 0.01)])
def test_a_width_keeps_its_budget_and_the_next_does_not(
    macs: float, resolution: int, depth: float, step: float
) -> None:
    width = width_for(macs, resolution, depth, step=step)
    within, beyond = (counts.macs(TinyNet(resolution, depth, width + more).ops()) for more in (0.0, step))
    assert within <= macs < beyond


def test_open_floats_are_a_rebind_away() -> None:
    space = tinynet().rebind(depth=pg.floatv(0.5, 1.5), width=pg.floatv(0.4, 1.2), resolution=160)
    compiled = GenotypeSpace(space)
    assert (compiled.size, compiled.width) == (None, 2)
    network = compiled.decode(compiled.sample(1, np.random.default_rng(0))[0])
    assert counted(network) == built_counts(network)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tinynet([]), "must hold numbers above 0, and classes be at least 1; got none, 0.6 and 0.4 as"),
        (lambda: tinynet([224], [0.0], [1.0]), "got 224, 0.0 and 1.0 as the smallest"),
        (lambda: tinynet(classes=0), "and 0 classes"),
        (lambda: published("TinyNet-F"), "no published network is called 'TinyNet-F'; there are TinyNet-A, TinyNet-B"),
        (lambda: width_for(1e6, 224, 1.0), "even the width 0.01 takes .* got a budget of 1,000,000: lower the resol"),
        (lambda: width_for(1e9, 224, 0.0), "resolution, depth and step must be above 0, got 224, 0.0 and 0.01"),
    ],
)
def test_impossible_settings_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
