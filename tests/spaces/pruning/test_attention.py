"""Heads of attention as channel groups: however attention is written, and exactly costed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hardware_models import counts
from hardware_models.wiring import check_wiring
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace
from spaces.networks.vit import ViT
from spaces.pruning.channels import Channels, channels
from spaces.pruning.masked import masked
from spaces.pruning.operators import Operators
from spaces.pruning.products import products
from spaces.pruning.prunable import Prunable
from spaces.pruning.shrink import shrink
from spaces.pruning_rates import stages
from spaces.token_compression.layouts import Layout
from tests.spaces.compression.tiny_vit import TinyViT
from tests.spaces.pruning.attention_nets import ATTENTIONS, Chunked, Masked, Packed, Placed, Transformer
from tests.spaces.pruning.test_shrink import difference

IMAGE = (3, 16, 16)
LAYOUT = Layout(48, 2, 3, 4, side=16, classes=10, pool="mean")


def vit() -> nn.Module:
    return ViT(LAYOUT)


NETS: dict[str, Callable[[], nn.Module]] = {
    "vit": vit, "tiny": TinyViT, **{kind.__name__: lambda kind=kind: Transformer(kind) for kind in ATTENTIONS},
}  # fmt: skip


def groups(model: nn.Module) -> dict[str, int]:
    return {group.name: group.width for group in channels(model, IMAGE).groups}


def some(found: Channels, widths: list[int], rng: np.random.Generator) -> np.ndarray:
    kept = [rng.choice(group.atoms, width, replace=False) for group, width in zip(found.groups, widths, strict=True)]
    return np.concatenate(kept)


def counted(model: nn.Module, shape: tuple[int, ...]) -> tuple[int, int]:
    model = model.to("meta").eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *shape, device="meta"))
    return counter.get_total_flops() // 2, sum(parameter.numel() for parameter in model.parameters())


def test_heads_and_neurons_are_groups() -> None:
    expected = {"blocks.0.attn.qkv": 3, "blocks.0.mlp.fc1": 192, "blocks.1.attn.qkv": 3, "blocks.1.mlp.fc1": 192}
    assert groups(vit()) == expected


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_heads_are_found_however_attention_is_written(kind: type[nn.Module]) -> None:
    assert list(groups(Transformer(kind)).values()) == [4, 4]


WHOLE = {name: make() for name, make in NETS.items()}
FOUND = {name: channels(model, IMAGE) for name, model in WHOLE.items()}


@pytest.mark.parametrize("name", NETS)
@settings(max_examples=8)
@given(data=st.data())
def test_masked_and_smaller_transformers_agree(name: str, data: Any) -> None:
    found = FOUND[name]
    widths = [data.draw(st.integers(1, group.width)) for group in found.groups]
    atoms = some(found, widths, np.random.default_rng(data.draw(st.integers(0, 99))))
    assert difference(WHOLE[name], found, atoms, IMAGE) < 1e-5


@pytest.mark.parametrize("name", [name for name in NETS if name != Placed.__name__])
def test_operators_are_those_of_the_smaller_transformer(name: str) -> None:
    found, rng = FOUND[name], np.random.default_rng(0)
    operators, full = Operators(found), tuple(group.width for group in FOUND[name].groups)
    for _ in range(2):
        widths = [int(rng.integers(1, width + 1)) for width in full]
        graph = operators.graph(widths)
        check_wiring(graph.inputs, graph, graph.wiring)
        smaller = shrink(WHOLE[name], found, some(found, widths, rng), check=False)
        assert (counts.macs(graph), counts.params(graph)) == counted(smaller, IMAGE)
        assert products(operators, full)(np.array(widths, float)) == pytest.approx(counts.macs(graph))


def test_fewer_heads_compute_something_else() -> None:
    found = FOUND["Written"]
    images, atoms = torch.randn(2, *IMAGE), np.array([group.atoms[0] for group in found.groups])
    with torch.no_grad():
        gap = masked(WHOLE["Written"], found, atoms).eval()(images) - WHOLE["Written"].eval()(images)
    assert float(gap.abs().max()) > 1e-3
    qkv: Any = shrink(WHOLE["Written"], found, atoms).get_submodule("blocks.0.qkv")
    assert qkv.weight.shape == (18, 24)


def test_an_attention_is_one_operator() -> None:
    graph = Operators(FOUND["vit"]).graph([2, 192, 3, 192])
    first, second = (op for op in graph if op.kind == "attention")
    assert (first.inputs, first.output, first.heads) == (((17, 96),), (17, 32), 2)
    assert (second.inputs, second.heads) == (((17, 144),), 3)


def test_a_network_of_elasticvit_loses_heads_with_their_positions() -> None:
    space, rng = GenotypeSpace(elasticvit(variant="small")), np.random.default_rng(0)
    candidate = space.decode(space.sample(1, rng)[0])
    model = candidate.build().eval()
    found = channels(model, candidate.input_shape)
    widths = [max(1, group.width // 2) for group in found.groups]
    atoms = some(found, widths, rng)
    assert difference(model, found, atoms, candidate.input_shape) < 1e-5
    graph, smaller = Operators(found).graph(widths), shrink(model, found, atoms, check=False)
    assert (counts.macs(graph), counts.params(graph)) == counted(smaller, candidate.input_shape)
    heads = [group.width for group in found.groups if group.name.endswith("value")]
    assert heads == [2, 2, 2, 3, 3, 3]


def test_weights_of_a_packed_attention_are_read() -> None:
    def make() -> nn.Module:
        return Transformer(Packed)

    whole, images = make().eval(), torch.randn(2, *IMAGE)
    smaller = Prunable(make, IMAGE).build((4, 4), whole.state_dict()).eval()
    assert torch.allclose(smaller(images), whole(images), atol=1e-5)


def test_an_attention_with_a_mask_stays_whole_and_says_so() -> None:
    with pytest.raises(ValueError, match="blocks_0_attention: its operator is not understood"):
        channels(Transformer(Masked), IMAGE)


def test_what_is_added_to_scores_and_is_no_table_of_offsets_is_not_costed() -> None:
    with pytest.raises(ValueError, match=r"'blocks\.0\.table' is no table of offsets in a square of 16 tokens"):
        Operators(FOUND["Placed"])


def test_norms_of_single_heads_leave_heads_free() -> None:
    assert "blocks_0_of_queries" not in channels(Transformer(Chunked), IMAGE).kept


def test_tokens_are_of_the_stage_of_their_number() -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 3, 1), TinyViT())

    assert stages(Prunable(make, IMAGE)) == (0, 0, 1, 1, 1, 1)


class Scaled(nn.Module):
    """A learned scale of each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)
        self.gamma = nn.Parameter(torch.randn(8, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.first(images) * self.gamma)


def test_a_parameter_loses_the_channels_that_it_scales() -> None:
    model = Scaled()
    found = channels(model, IMAGE)
    atoms = found.groups[0].atoms[[1, 4]]
    assert difference(model, found, atoms, IMAGE) < 1e-5
    assert torch.equal(shrink(model, found, atoms).gamma, copy.deepcopy(model.gamma)[[1, 4]])
