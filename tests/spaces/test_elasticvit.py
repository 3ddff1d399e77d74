"""The ElasticViT space: its sizes, the published networks' counts, what is built, and which weights are shared."""

from __future__ import annotations

from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spaces_built import built_counts
from torch import nn

from hardware_models import counts
from hardware_models.folding import fold
from hardware_models.inherited import inherit
from hardware_models.memory import peak_memory_bytes
from hardware_models.torch_ops import build, example_inputs
from spaces._elasticvit_layouts import LAYOUTS
from spaces.elasticvit import NETS, ElasticViT, ReleasedMacs, elasticvit, largest, published, released_macs, smallest
from spaces.genotype import GenotypeSpace

COUNTED = {
    "ElasticViT-T1": (62_915_120, 64_899_104, 8_905_832),
    "ElasticViT-T2": (119_979_590, 120_548_192, 9_300_065),
    "ElasticViT-S1": (217_641_922, 221_549_056, 10_836_592),
    "ElasticViT-S2": (318_528_056, 320_252_384, 10_231_654),
    "ElasticViT-M": (415_580_824, 417_418_816, 12_016_968),
    "ElasticViT-L1": (517_107_584, 522_878_976, 12_764_996),
    "ElasticViT-L1.5": (618_780_672, 626_031_104, 14_706_044),
    "ElasticViT-L2": (704_110_592, 713_129_088, 14_901_060),
    "ElasticViT-L3": (815_399_296, 824_589_696, 15_344_982),
    "min-200": (37_365_024, 38_286_208, 5_636_555),
    "min-400": (159_924_302, 161_672_864, 8_447_198),
    "min-800": (288_809_400, 290_309_984, 9_637_206),
}
"""Multiply-accumulates by the released code's formula, as counted, and all weights."""

RELEASED = GenotypeSpace(elasticvit())
SMALL = GenotypeSpace(elasticvit("small"))


def counted(network: ElasticViT) -> tuple[int, int]:
    return counts.params(network.ops()), counts.macs(network.ops())


def drawn(space: GenotypeSpace, seed: int) -> ElasticViT:
    network: ElasticViT = space.decode(space.sample(1, np.random.default_rng(seed))[0])
    return network


def weights_of(network: ElasticViT) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all weights and statistics by their names."""
    with torch.device("meta"):
        return {name: tuple(values.shape) for name, values in network.build().state_dict().items()}


LARGEST = {variant: weights_of(largest(variant)) for variant in LAYOUTS}


@pytest.mark.parametrize(("name", "expected"), COUNTED.items())
def test_published_networks(name: str, expected: tuple[int, int, int]) -> None:
    network = published(name)
    released, macs, params = expected
    assert released_macs(network) == released
    assert counted(network) == built_counts(network) == (params, macs)


@pytest.mark.parametrize(("network", "released"), [(smallest(), 37_365_024), (largest(), 3_191_458_816)])
def test_the_extremes(network: ElasticViT, released: int) -> None:
    assert released_macs(network) == released
    assert RELEASED.decode(RELEASED.encode(network)) == network


def test_the_released_count_is_known_of_many_networks_at_once() -> None:
    model = ReleasedMacs(RELEASED)
    rows = np.stack([RELEASED.encode(network) for network in (published("ElasticViT-S1"), largest())])
    assert model.costs(rows).tolist() == [[217_641_922], [3_191_458_816]]
    small = GenotypeSpace(elasticvit("small", resolutions=[17]))
    rows = small.sample(50, np.random.default_rng(0))
    assert ReleasedMacs(small).costs(rows)[:, 0].tolist() == [released_macs(small.decode(row)) for row in rows]
    with pytest.raises(ValueError, match="networks are Dict; expected those of elasticvit"):
        ReleasedMacs(GenotypeSpace({"a": 1}))


def test_the_largest_networks_counts() -> None:
    assert counted(largest()) == (37_567_310, 3_213_102_592)


def test_the_sizes_of_the_released_space() -> None:
    layout = LAYOUTS["released"]
    widths = [stage.widths for stage in (*layout.convolutions, *layout.transformers)]
    networks = sum(all(a <= b for a, b in pairwise(chosen)) for chosen in product(*widths))
    choices = prod(map(len, widths))
    assert (networks, choices) == (31_502, 79_200)
    assert RELEASED.size == 54_487_280_517_120_000
    assert RELEASED.size // choices * networks == 21_672_453_419_827_200


@given(st.integers(0, 2**32))
def test_widths_never_fall(seed: int) -> None:
    network = drawn(RELEASED, seed)
    assert all(first <= second for first, second in pairwise(network.widths))
    chosen = tuple(stage.width for stage in network.stages)
    assert network.raised == (chosen != network.widths)
    assert all(
        width in (own, before)
        for own, width, before in zip(chosen, network.widths, (0, *network.widths[:-1]), strict=True)
    )


@pytest.mark.parametrize("name", NETS)
def test_a_published_network_has_a_genotype(name: str) -> None:
    network = published(name)
    assert not network.raised
    assert RELEASED.decode(RELEASED.encode(network)) == network


def test_names_are_read_as_people_write_them() -> None:
    assert published("elasticvit_l1.5") == published("ElasticViT-L1.5") != published("ElasticViT-L1")
    with pytest.raises(ValueError, match="no published network is called 'ElasticViT-T0'; there are ElasticViT-T1, E"):
        published("ElasticViT-T0")


@pytest.mark.parametrize(("space", "seed"), [(RELEASED, 0), (SMALL, 0), (SMALL, 1)])
def test_the_built_network_is_what_is_counted(space: GenotypeSpace, seed: int) -> None:
    network = drawn(space, seed)
    assert counted(network) == built_counts(network)
    assert all(after.inputs[0] == before.output for before, after in pairwise(network.ops()))
    assert peak_memory_bytes(network.ops()) > 0


@pytest.mark.parametrize("resolution", [24, 27, 32])
def test_the_small_networks_run(resolution: int) -> None:
    network = largest("small", resolutions=[resolution], classes=7)
    with torch.inference_mode():
        assert network.build().eval()(torch.zeros(2, *network.input_shape)).shape == (2, 7)


def test_what_the_small_space_holds() -> None:
    assert SMALL.size == 17_915_904
    assert [counted(network) for network in (smallest("small"), largest("small"))] == [
        (181_091, 2_086_384),
        (1_124_208, 35_748_352),
    ]


def test_the_operators_are_blocks() -> None:
    kinds = [op.kind for op in published("ElasticViT-T1").ops()]
    transformers = ["reduction", "attention_block", "feed_forward"] * 4
    assert kinds == [
        "conv_bn_hardswish",
        *["mobile_block"] * 6,
        *transformers,
        "token_features",
        "hidden_classifier",
    ]


def test_odd_sides_are_rounded_up() -> None:
    outputs = [op.output for op in published("min-400").ops() if op.kind == "reduction"]
    assert outputs == [(11**2, 48), (11**2, 96), (6**2, 176), (3**2, 224)]


@settings(max_examples=10)
@given(st.sampled_from([("released", RELEASED), ("small", SMALL)]), st.integers(0, 2**32))
def test_every_weight_lies_within_the_largest_networks(space: tuple[str, GenotypeSpace], seed: int) -> None:
    most = LARGEST[space[0]]
    for name, shape in weights_of(drawn(space[1], seed)).items():
        assert len(shape) == len(most[name])
        assert all(size <= limit for size, limit in zip(shape, most[name], strict=True)), name


def test_a_network_inherits_the_largest_networks_weights() -> None:
    torch.manual_seed(0)
    whole, own = largest("small").build().state_dict(), smallest("small").build()
    inherit(own, whole)
    found = own.state_dict()
    kernel, table = "layers.1.0.body.depthwise.0.weight", "layers.3.blocks.0.0.attend.positions.table"
    assert torch.equal(found[kernel], whole[kernel][:24, :, 1:4, 1:4])
    assert torch.equal(found[table], whole[table][:2, 2:13, 2:13])
    query = "layers.4.blocks.0.0.query.weight"
    assert torch.equal(found[query], whole[query][:48, :48])


def test_residual_branches_start_closed_where_the_side_stays() -> None:
    first, second = largest("small").build().layers[1]
    assert first.body.project[1].weight.unique().tolist() == [1.0]
    assert second.body.project[1].weight.unique().tolist() == [0.0]


def test_folding_leaves_no_norm_of_images() -> None:
    torch.manual_seed(0)
    network, images = largest("small").build().eval(), torch.randn(2, 3, 32, 32)
    folded = fold(network)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in folded.modules())
    with torch.inference_mode():
        assert torch.allclose(folded(images), network(images), atol=1e-5)


def test_blocks_of_transformers_run_in_onnx_runtime() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from hardware_models.onnxruntime_engine import export

    for op in largest("small").ops()[-5:]:
        module, inputs = build(op), example_inputs(op, 1, torch.Generator().manual_seed(0))
        session = onnxruntime.InferenceSession(export(fold(module), inputs), providers=["CPUExecutionProvider"])
        found = session.run(None, {session.get_inputs()[0].name: inputs[0].numpy()})[0]
        with torch.inference_mode():
            assert torch.allclose(torch.from_numpy(found), module(*inputs), atol=1e-5), op.kind


def test_a_stage_can_be_narrowed_by_hand() -> None:
    space = elasticvit(resolutions=[224])
    space.rebind({"transformers[1].width": 96, "convolutions[0].depth": 1})
    compiled = GenotypeSpace(space)
    assert compiled.size == RELEASED.size // (6 * 6 * 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "huge"}, "variant must be released or small, got 'huge'"),
        ({"resolutions": []}, r"resolutions must hold whole numbers of at least 1, .*, got \(\) and 1000"),
        ({"classes": 0}, "classes be at least 1, got .* and 0"),
    ],
)
def test_impossible_settings_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        elasticvit(**arguments)
