"""The once-for-all spaces: their sizes, the published networks' counts, and that what is built is what is counted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from spaces_built import built_counts

from hardware_models import counts
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import NETS, OnceForAll, from_lists, once_for_all, published

COUNTED = (
    ("1080ti_gpu64@12ms_top1@72.6_finetune@25", 5_903_488, 164_964_352, "5.9M", "165M"),
    ("1080ti_gpu64@22ms_top1@75.3_finetune@25", 5_186_720, 312_808_424, "5.2M", "313M"),
    ("LG-G8_lat@11ms_top1@73.0_finetune@25", 4_965_160, 103_373_272, "5.0M", "103M"),
    ("LG-G8_lat@24ms_top1@76.4_finetune@25", 5_809_576, 229_846_296, "5.8M", "230M"),
    ("cpu_lat@10ms_top1@71.1_finetune@25", 4_158_272, 143_192_752, "4.2M", "143M"),
    ("cpu_lat@15ms_top1@74.6_finetune@25", 4_875_704, 300_991_560, "4.9M", "301M"),
    ("flops@389M_top1@79.1_finetune@75", 8_386_544, 389_487_856, "8.4M", "389M"),
    ("flops@595M_top1@80.0_finetune@75", 9_135_928, 595_189_032, "9.1M", "595M"),
    ("note10_lat@16ms_top1@75.5_finetune@25", 4_932_272, 162_464_384, "4.9M", "163M"),
    ("note10_lat@30ms_top1@78.4_finetune@75", 7_465_896, 339_352_816, "7.5M", "339M"),
    ("note10_lat@50ms_top1@79.7_finetune@75", 9_057_064, 554_390_264, "9.1M", "554M"),
    ("note10_lat@8ms_top1@71.4_finetune@25", 3_761_168, 75_802_880, "3.8M", "79M"),
    ("note8_lat@31ms_top1@72.8_finetune@25", 4_595_536, 100_520_248, "4.6M", "101M"),
    ("note8_lat@65ms_top1@76.1_finetune@25", 5_296_672, 219_899_816, "5.3M", "220M"),
    ("pixel1_lat@143ms_top1@80.1_finetune@75", 9_221_888, 641_756_192, "9.2M", "642M"),
    ("pixel1_lat@28ms_top1@73.3_finetune@25", 5_196_680, 108_572_320, "5.2M", "109M"),
    ("pixel1_lat@58ms_top1@76.9_finetune@75", 5_809_576, 229_846_296, "5.8M", "230M"),
    ("pixel2_lat@25ms_top1@71.5_finetune@25", 4_137_152, 79_266_240, "4.1M", "79M"),
    ("pixel2_lat@50ms_top1@74.7_finetune@25", 4_687_720, 165_999_448, "4.7M", "166M"),
    ("s7edge_lat@29ms_top1@70.5_finetune@25", 3_830_224, 66_444_032, "3.8M", "66M"),
    ("s7edge_lat@58ms_top1@74.7_finetune@25", 4_623_312, 144_701_952, "4.6M", "145M"),
    ("tx2_gpu16@35ms_top1@70.3_finetune@25", 4_315_144, 121_204_736, "4.3M", "121M"),
    ("tx2_gpu16@80ms_top1@75.4_finetune@25", 5_186_720, 312_808_424, "5.2M", "313M"),
    ("v100_gpu64@11ms_top1@76.1_finetune@25", 6_195_512, 351_764_864, "6.2M", "352M"),
    ("v100_gpu64@6ms_top1@73.0_finetune@25", 4_933_568, 179_272_800, "4.9M", "179M"),
)
"""Name, weights and multiply-accumulates as counted, and both as they were published."""

UNLIKE = {"note10_lat@8ms_top1@71.4_finetune@25": "79M", "note10_lat@16ms_top1@75.5_finetune@25": "163M"}
"""Published multiply-accumulates that the published configuration does not have: it has 75.8M and 162.5M."""


def uniform(depth: int, expansion: int, kernel: int, **settings: Any) -> OnceForAll:
    """Return the only network of a space whose every choice is made."""
    made = once_for_all(depths=[depth], expansions=[expansion], kernels=[kernel], resolutions=[224], **settings)
    space = GenotypeSpace(made)
    network: OnceForAll = space.decode(np.zeros(space.width, space.dtype))
    return network


def some(count: int, *arguments: Any, **settings: Any) -> list[OnceForAll]:
    space = GenotypeSpace(once_for_all(*arguments, **settings))
    return [space.decode(row) for row in space.sample(count, np.random.default_rng(0))]


def counted(network: OnceForAll) -> tuple[int, int]:
    return counts.params(network.ops()), counts.macs(network.ops())


def test_the_size_is_the_published_one_at_each_resolution() -> None:
    assert GenotypeSpace(once_for_all(resolutions=[224])).size == 21_758_655_492_572_485_851
    assert GenotypeSpace(once_for_all()).size == 25 * 21_758_655_492_572_485_851
    proxyless = GenotypeSpace(once_for_all("proxylessnas", resolutions=[224]))
    assert proxyless.size == 9 * 21_758_655_492_572_485_851


def test_absent_blocks_have_no_decisions() -> None:
    space = GenotypeSpace(once_for_all(resolutions=[224], depths=[1, 2], kernels=[3], expansions=[3, 6]))
    rows = space.enumerate(0, 100)
    assert len({str(network) for network in map(space.decode, rows)}) == 100
    assert space.size == (2 + 2 * 2) ** 5


@pytest.mark.parametrize(("name", "params", "macs", "told_params", "told_macs"), COUNTED, ids=[c[0] for c in COUNTED])
def test_published_networks(name: str, params: int, macs: int, told_params: str, told_macs: str) -> None:
    network = published(name)
    assert counted(network) == built_counts(network) == (params, macs)
    assert f"{params / 1e6:.1f}M" == told_params
    assert f"{macs / 1e6:.0f}M" == told_macs or UNLIKE[name] == told_macs


@pytest.mark.parametrize("name", NETS)
def test_a_published_network_has_a_genotype(name: str) -> None:
    net = NETS[name]
    space = GenotypeSpace(once_for_all(net.supernet, width=net.width, resolutions=[160, net.resolution]))
    row = space.encode(published(name))
    assert space.valid(row[None]).all()
    assert space.decode(row) == published(name)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"depth": 4, "expansion": 6, "kernel": 7}, (7_664_760, 566_170_656)),
        ({"depth": 4, "expansion": 3, "kernel": 3}, (4_371_928, 226_193_808)),
        ({"depth": 2, "expansion": 3, "kernel": 3}, (3_410_792, 121_278_672)),
        ({"depth": 2, "expansion": 6, "kernel": 7}, (4_837_928, 282_627_744)),
        ({"depth": 4, "expansion": 6, "kernel": 7, "width": 1.2}, (10_701_632, 843_101_040)),
        ({"depth": 2, "expansion": 3, "kernel": 7, "width": 1.2}, (4_703_256, 232_450_680)),
        ({"depth": 4, "expansion": 6, "kernel": 7, "supernet": "proxylessnas"}, (7_942_056, 1_004_908_032)),
        ({"depth": 2, "expansion": 3, "kernel": 3, "supernet": "proxylessnas"}, (3_718_832, 265_526_256)),
    ],
    ids=str,
)
def test_uniform_networks(settings: dict[str, Any], expected: tuple[int, int]) -> None:
    assert counted(uniform(**settings)) == expected


@pytest.mark.parametrize("supernet", ["mobilenetv3", "proxylessnas"])
def test_the_built_network_is_what_is_counted(supernet: str) -> None:
    for network in some(2, supernet, width=0.7, classes=10):
        assert counted(network) == built_counts(network)
        ops = network.ops()
        assert all(after.inputs[0] == before.output for before, after in pairwise(ops))


def test_operators_and_properties_follow_the_choices() -> None:
    network = published("note10_lat@30ms_top1@78.4_finetune@75")
    assert (network.depths, network.resolution) == ((2, 3, 3, 3, 4), 224)
    assert len(network.kernels) == len(network.expansions) == 15
    kinds = [op.kind for op in network.ops()]
    assert kinds[:2] == ["conv_bn_hardswish", "inverted_residual"]
    assert kinds[-4:] == ["conv_bn_hardswish", "global_avg_pool", "conv_hardswish", "classifier"]


def test_every_choice_can_be_made_by_hand() -> None:
    space = once_for_all()
    space.rebind({"stages[0].first.kernel": 5, "stages[4].first.then.then": None, "resolution": 224})
    row = GenotypeSpace(space).sample(1, np.random.default_rng(0))[0]
    network = GenotypeSpace(space).decode(row)
    assert (network.kernels[0], network.depths[4], network.resolution) == (5, 2, 224)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match="no published network is called 'note10'; there are 1080ti_gpu64@12ms"):
        published("note10")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"supernet": "resnet"}, "supernet must be mobilenetv3 or proxylessnas, got 'resnet'"),
        ({"kernels": (3, 4)}, r"kernels must be odd, got \(3, 4\)"),
        ({"expansions": (1, 3)}, r"expansions must hold whole numbers of at least 2, got \(1, 3\)"),
        ({"depths": ()}, r"depths must hold whole numbers of at least 1, got \(\)"),
        ({"width": 0.0}, "width must be above 0, got 0.0"),
        ({"classes": 0}, "classes must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        once_for_all(**settings)


@pytest.mark.parametrize("name", ["note10_lat@8ms_top1@71.4_finetune@25", "cpu_lat@10ms_top1@71.1_finetune@25"])
def test_a_network_from_the_lists_that_the_authors_code_takes(name: str) -> None:
    net = NETS[name]
    depths = [len(stage) for stage in net.stages]
    kernels, expansions = ([block[at] for stage in net.stages for block in stage] for at in (0, 1))
    settings: dict[str, Any] = {"supernet": net.supernet, "width": net.width}
    assert from_lists(kernels, expansions, depths, net.resolution, **settings) == published(name)
    padded = [[*stage, *[(3, 3)] * (4 - len(stage))] for stage in net.stages[:5]] + [*map(list, net.stages[5:])]
    kernels, expansions = ([block[at] for stage in padded for block in stage] for at in (0, 1))
    assert from_lists(kernels, expansions, depths, net.resolution, **settings) == published(name)


@pytest.mark.parametrize(("depths", "blocks", "words"), [
    ([2, 2, 2, 2], 8, "expected 5 depths of at most"), ([2, 2, 2, 2, 5], 13, "expected 5 depths of at most"),
    ([2, 2, 2, 2, 2], 9, "kernels and expansions of 10 blocks or of all 20 places; got .* 9 and 9"),
])  # fmt: skip
def test_lists_of_other_lengths_are_refused(depths: list[int], blocks: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_lists([3] * blocks, [4] * blocks, depths, 224)
