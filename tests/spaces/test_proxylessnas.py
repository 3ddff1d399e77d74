"""The ProxylessNAS space: its size, the published networks' counts, and that what is built is what is counted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from spaces_built import built_counts

from hardware_models import counts
from spaces.genotype import GenotypeSpace
from spaces.proxylessnas import ProxylessNAS, Stage, proxylessnas, published


def counted(network: ProxylessNAS) -> tuple[int, int]:
    return counts.params(network.ops()), counts.macs(network.ops())


def test_the_size_is_the_published_one() -> None:
    space = GenotypeSpace(proxylessnas())
    assert (space.size, space.width) == ((6 * 7**3) ** 5 * 6, 21)


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ("cpu", (4_361_648, 439_243_864)),
        ("gpu", (7_119_848, 465_260_160)),
        ("mobile", (4_080_512, 320_427_584)),
        ("mobile_14", (6_857_568, 580_883_408)),
    ],
)
def test_published_networks(widths: str, expected: tuple[int, int]) -> None:
    network = published(f"proxyless_{widths}")
    assert counted(network) == built_counts(network) == expected
    space = GenotypeSpace(proxylessnas(widths))
    assert space.decode(space.encode(network)) == network


def test_a_network_that_is_written_layer_by_layer() -> None:
    stages = [Stage(24, 2, ["k3e3", "zero", "k7e6"]), Stage(40, 2, ["k5e6"])]
    network = ProxylessNAS(stem=16, first=8, stages=stages, head=96, resolution=32, classes=5)
    assert counted(network) == built_counts(network) == (34_493, 1_606_880)


@pytest.mark.parametrize("settings", [{}, {"width": 0.25, "resolution": 99, "classes": 7}])
def test_the_built_network_is_what_is_counted(settings: dict[str, Any]) -> None:
    space = GenotypeSpace(proxylessnas(**settings))
    for row in space.sample(2, np.random.default_rng(0)):
        network = space.decode(row)
        ops = network.ops()
        assert counted(network) == built_counts(network)
        assert all(after.inputs[0] == before.output for before, after in pairwise(ops))


def test_a_zero_leaves_its_block_out() -> None:
    network = published("proxyless_gpu")
    first = [(3, 1, 24, 1), (5, 3, 32, 2), (7, 3, 56, 2), (3, 3, 56, 1)]
    assert [(3, 1, 24, 1), *network.layers()][:4] == first
    assert len(network.ops()) == 2 + 13 + 2


def test_width_multiplies_all_channels_but_a_narrower_head() -> None:
    space = proxylessnas(width=0.5)
    assert (space.stem, space.first, space.head) == (16, 8, 1280)
    assert [stage.width for stage in space.stages] == [16, 24, 40, 48, 96, 160]
    assert proxylessnas(width=1.4).head == 1792


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": "tpu"}, "widths must be one of search, mobile, mobile_14, cpu, gpu, got 'tpu'"),
        ({"width": 0.0}, "width must be above 0, resolution and classes at least 1, got 0.0, 224 and 1000"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        proxylessnas(**settings)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match="no published network is called 'proxyless'; there are proxyless_cpu,"):
        published("proxyless")
