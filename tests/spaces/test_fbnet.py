"""The FBNet space: its size, the published networks' counts, its codes, and that what is built is what is counted."""

from __future__ import annotations

import csv
import gzip
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared_data
from spaces_built import built_counts
from torch import nn

from hardware_models import counts
from hardware_models.folding import fold
from hardware_models.learned_table import LearnedTable
from hardware_models.space_identity import identity_of
from hardware_models.table_origin import Origin
from spaces._fbnet_nets import NETS
from spaces.fbnet import OPERATIONS, FBNet, fbnet, from_code, middle, published
from spaces.genotype import GenotypeSpace
from spaces.networks.chain import Chain
from spaces.networks.inverted_residual import ChannelShuffle, InvertedResidual

COUNTED = {
    "FBNet-A": (4_286_480, 4_321_464, 249_921_848),
    "FBNet-B": (4_778_640, 4_813_048, 296_614_728),
    "FBNet-C": (5_526_832, 5_572_200, 384_960_160),
    "FBNet-S8": (4_431_040, 4_468_296, 292_922_680),
    "FBNet-iPhoneX": (4_471_376, 4_511_320, 321_798_968),
    "FBNet-96": (1_833_968, 1_845_384, 12_944_208),
    "FBNet-B-2019": (4_777_296, 4_812_088, 295_561_032),
    "FBNet-C-2019": (5_520_784, 5_567_880, 382_984_480),
    "FBNet-B1": (4_128_336, 4_162_168, 286_801_992),
    "FBNet-C1": (4_871_824, 4_917_960, 374_225_440),
    "FBNet-A-2020": (4_270_288, 4_304_584, 244_452_664),
    "FBNet-B-2020": (4_766_672, 4_801_368, 291_004_424),
    "FBNet-C-2020": (5_525_424, 5_570_664, 378_136_224),
}
"""Weights of layers alone, all weights, multiply-accumulates."""

TOLD = {
    "FBNet-A": (249e6, 0.005),
    "FBNet-B": (295e6, 0.01),
    "FBNet-C": (375e6, 0.03),
    "FBNet-B-2019": (295.6e6, 2e-4),
    "FBNet-C-2019": (383.0e6, 2e-4),
    "FBNet-B1": (286.8e6, 2e-4),
    "FBNet-C1": (374.2e6, 2e-4),
    "FBNet-96": (12.9e6, 4e-3),
}
"""Published multiply-accumulates, and how far off the counted ones are at most; with 375M FBNet-C's is 2.7 %."""

SMALL = GenotypeSpace(fbnet("cifar"))
CODES = st.text("012345678", min_size=22, max_size=22)


def counted(network: FBNet) -> tuple[int, int, int]:
    ops = network.ops()
    return counts.params(ops, norms=False, biases=False), counts.params(ops), counts.macs(ops)


def built_weights(network: FBNet) -> int:
    """Return the weights of the built network's convolutions and linear layers, without biases."""
    with torch.device("meta"):
        parts = network.build().modules()
    return sum(part.weight.numel() for part in parts if isinstance(part, nn.Conv2d | nn.Linear))


def test_the_size_is_the_published_one() -> None:
    for variant in ("imagenet", "cifar"):
        space = GenotypeSpace(fbnet(variant))
        assert (space.size, space.width) == (984_770_902_183_611_232_881, 22)


@pytest.mark.parametrize(("name", "expected"), COUNTED.items())
def test_published_networks(name: str, expected: tuple[int, int, int]) -> None:
    network = published(name)
    assert counted(network) == expected
    assert (built_weights(network), *built_counts(network)) == expected


@pytest.mark.parametrize(("name", "told"), TOLD.items())
def test_published_multiply_accumulates(name: str, told: tuple[float, float]) -> None:
    assert counts.macs(published(name).ops()) == pytest.approx(told[0], rel=told[1])


@pytest.mark.parametrize("name", NETS)
def test_a_published_network_runs(name: str) -> None:
    network = published(name).rebind(resolution=32, classes=7)
    with torch.inference_mode():
        logits = network.build().eval()(torch.zeros(2, *network.input_shape))
    assert logits.shape == (2, 7)


@pytest.mark.parametrize("name", ["FBNet-A", "FBNet-B", "FBNet-C", "FBNet-S8", "FBNet-iPhoneX"])
def test_a_published_network_has_a_genotype(name: str) -> None:
    network = published(name)
    space = GenotypeSpace(fbnet(head=network.head))
    assert space.decode(space.encode(network)) == network
    assert network.code == "".join(str(int(digit)) for digit in space.encode(network))


def test_names_are_read_as_people_write_them() -> None:
    assert published("fbnet_iphone_x") == published("FBNet-iPhoneX") == published("fbnetiphonex")
    with pytest.raises(ValueError, match="no published network is called 'FBNet-D'; there are FBNet-A, FBNet-B, FBN"):
        published("FBNet-D")


@pytest.mark.parametrize("variant", ["imagenet", "cifar"])
@pytest.mark.parametrize("settings", [{}, {"width": 0.6, "resolution": 45, "classes": 7, "head": 96}])
def test_the_built_network_is_what_is_counted(variant: str, settings: dict[str, Any]) -> None:
    space = GenotypeSpace(fbnet(variant, **settings))
    for row in space.sample(3, np.random.default_rng(0)):
        network = space.decode(row)
        ops = network.ops()
        assert counted(network)[1:] == built_counts(network)
        assert all(after.inputs[0] == before.output for before, after in pairwise(ops))


def test_the_layout_for_small_images() -> None:
    outputs = [op.output for op in from_code("0" * 22).ops()]
    stages = [(24, 32, 32), (32, 16, 16), (64, 8, 8), (112, 8, 8), (184, 4, 4)]
    assert outputs[::4] == [(16, 32, 32), *stages, (100,)]
    assert outputs[1:2] + outputs[22:24] == [(16, 32, 32), (352, 4, 4), (1504, 4, 4)]


def test_every_decision_has_a_layer_of_the_chain() -> None:
    chain = from_code("8" * 22).build()
    assert isinstance(chain, Chain)
    assert [type(layer) for layer in chain.layers[:6]] == [
        nn.Identity,
        *[nn.Sequential, *[nn.Identity] * 3],
        nn.Sequential,
    ]
    assert len(chain.layers) == len(published("FBNet-A").build().layers) == 22


def test_a_skip_is_a_convolution_where_the_shape_changes() -> None:
    kinds = [(op.kind, op.output) for op in from_code("8" * 22).ops()]
    assert kinds[1:4] == [("conv_bn_relu", (24, 32, 32)), ("conv_bn_relu", (32, 16, 16)), ("conv_bn_relu", (64, 8, 8))]
    assert len(kinds) == 1 + 6 + 2


def test_expansion_1_keeps_its_first_convolution() -> None:
    assert [op.kind for op in published("FBNet-B").ops()[1].inner].count("conv2d") == 3
    assert [op.kind for op in published("FBNet-B-2020").ops()[1].inner].count("conv2d") == 2


def test_grouped_blocks_shuffle_after_their_first_convolution() -> None:
    block = from_code("1" * 22).build().layers[0]
    assert isinstance(block.expand[-1], ChannelShuffle)
    assert (block.expand[0].groups, block.depthwise[0].groups, block.project[0].groups) == (2, 16, 2)


@pytest.mark.parametrize(("channels", "expansion", "expected"), [(16, 1, 16), (20, 3, 64), (3, 1, 8), (12, 1, 16)])
def test_channels_within_a_block_are_multiples_of_8(channels: int, expansion: int, expected: int) -> None:
    assert middle(channels, expansion) == expected


@given(CODES)
def test_a_code_is_a_genotype(code: str) -> None:
    network = from_code(code)
    assert network.code == code
    assert network == SMALL.decode(np.array([int(digit) for digit in code], SMALL.dtype))


@pytest.mark.parametrize("code", ["", "0" * 21, "0" * 21 + "9", "0" * 21 + "a"])
def test_another_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=f"a code must be 22 digits from 0 to 8, got '{code}'"):
        from_code(code)


def test_a_network_of_the_zoos_own_block_has_no_code() -> None:
    with pytest.raises(ValueError, match="a network that holds k3_sep has no code"):
        _ = published("FBNet-C-2019").code


@pytest.mark.parametrize("device", ["raspi4", "pixel3"])
def test_additive_tables_cost_the_networks_as_published(device: str) -> None:
    table = json.loads(gzip.decompress(shared_data("hw_latency_fbnet/fbnet_additive_lut.json.gz").read_bytes()))
    with gzip.open(shared_data("hw_latency_fbnet/latency_ms.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(table["ops"]) == OPERATIONS
    effects = tuple(tuple(table["devices"][device]["delta"][group]) for group in table["position_to_group"])
    origin = Origin(device, "unknown", 1, "learned", "HW-NAS-Bench", "", 0, "2021-12-01T00:00:00+00:00")
    model = LearnedTable(identity_of(SMALL, "fbnet"), origin, table["devices"][device]["intercept"], effects)
    genotypes = np.array([[int(digit) for digit in row["arch"]] for row in rows])
    published_ms = np.array([float(row[device]) for row in rows])
    assert len(rows) == 5000
    assert np.abs(model.costs(genotypes)[:, 0] - published_ms).max() < 1e-6


def test_a_layer_can_be_narrowed() -> None:
    space = fbnet()
    space.rebind({"stages[1].blocks[2]": pg.oneof(["k3_e3", "k5_e6", "skip"]), "stages[6].blocks[0]": "k3_e6"})
    compiled = GenotypeSpace(space)
    assert (compiled.size, compiled.width) == (3 * 9**20, 21)
    assert compiled.decode(compiled.sample(1, np.random.default_rng(0))[0]).stages[6].blocks[0] == "k3_e6"


def test_widths_and_resolution_can_be_opened() -> None:
    space = fbnet(operations=["k3_e3", "skip"])
    space.rebind({"stages[2].width": pg.oneof([24, 32]), "resolution": pg.oneof([96, 128])})
    compiled = GenotypeSpace(space)
    assert compiled.size == 2**22 * 4
    network = compiled.decode(compiled.sample(1, np.random.default_rng(3))[0])
    assert counted(network)[1:] == built_counts(network)


def test_grouped_blocks_run_in_onnx_runtime() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from hardware_models.onnxruntime_engine import export

    block, images = (
        InvertedResidual(8, 8, 3, 1, middle=8, activation="relu", expand=True, groups=2),
        torch.rand(1, 8, 4, 4),
    )
    session = onnxruntime.InferenceSession(export(fold(block.eval()), (images,)), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: images.numpy()})[0]
    assert torch.allclose(torch.from_numpy(found), block(images), atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": "mnist"}, "variant must be imagenet or cifar, got 'mnist'"),
        ({"operations": ()}, r"operations must be some of k3_e1, k3_e1_g2, .*, skip, each once, got \(\)"),
        ({"operations": ("k3_sep",)}, r"operations must be some of .* got \('k3_sep',\)"),
        ({"operations": ("skip", "skip")}, r"each once, got \('skip', 'skip'\)"),
        ({"width": 0.0}, "width must be above 0, head, resolution and classes at least 1, got 0.0, 1984, 224 and 1000"),
        ({"classes": 0}, "resolution and classes at least 1, got 1.0, 1984, 224 and 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fbnet(**settings)
