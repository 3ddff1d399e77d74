"""Token counts and units of one transformer: what is gone is what is masked, and costs what is built."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from hardware_models import counts
from hardware_models.architecture import architecture_of
from hardware_models.layer_costs import layer_costs
from hardware_models.settling import settled
from hardware_models.wiring import check_wiring
from spaces import lapp
from spaces.compression.bit_width import BitWidth
from spaces.compression.examples import Examples
from spaces.compression.global_dimensions import GlobalDimensions
from spaces.compression.low_rank import LowRank
from spaces.compression.optin_units import OptinUnits
from spaces.compression.vit_cut import Units
from spaces.compression.vit_units import vit_units
from spaces.compressions import compressions
from spaces.diffrate import Layout, compressed, diffrate
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import hyperparameters
from spaces.networks.masked_vit import MaskedViT
from spaces.networks.vit import ViT
from spaces.pruning_rates import PruningRates, pruning_rates
from spaces.token_compression.compressible import Compressible
from tests.spaces.compression.tiny_vit import mask_attention

LAYOUT = Layout(32, 3, 4, 2, side=8, channels=1, classes=10)


def trained(pool: str = "class") -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng([]):
        model = ViT(Layout(32, 3, 4, 2, side=8, channels=1, classes=10, pool=pool))
    for parameter in model.parameters():
        parameter.data = 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


def pooled() -> nn.Module:
    return trained("mean")


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(8)


UNITS = {"units": vit_units(batch), "pruning": pruning_rates(1, (0.2, 0.5, 0.75))}


@cache
def joint(make: Any, member: str) -> GenotypeSpace:
    return GenotypeSpace(pg.Dict({"architecture": diffrate(make, gap=1), member: pg.clone(UNITS[member], deep=True)}))


class Norm(nn.Module):
    """A layer norm that sees some dimensions alone; the others are zero."""

    def __init__(self, whole: nn.LayerNorm, stays: np.ndarray) -> None:
        super().__init__()
        self.whole, self.stays = whole, torch.from_numpy(stays)

    def forward(self, tokens: Tensor) -> Tensor:
        norm, stays = self.whole, self.stays
        seen = functional.layer_norm(tokens[..., stays], stays.shape, norm.weight[stays], norm.bias[stays], norm.eps)
        return torch.zeros_like(tokens).index_copy(tokens.ndim - 1, stays, seen)


class Masked(MaskedViT):
    """A transformer with masked heads: they attend as the others do on average, so that importance is of those."""

    def __init__(self, model: nn.Module, heads: Sequence[np.ndarray]) -> None:
        super().__init__(model)
        self.heads, self.block = heads, -1

    def _attention(self, *arguments: Any) -> Tensor:
        self.block += 1
        attention, kept = super()._attention(*arguments).clone(), self.heads[self.block]
        gone = np.setdiff1d(np.arange(attention.shape[1]), kept)
        attention[:, gone] = attention[:, kept].mean(1, keepdim=True)
        return attention


@torch.no_grad()
def masked(whole: nn.Module, units: Units) -> Masked:
    """Return the whole transformer with zeros, and norms that skip them, for what is cut."""
    model: Any = copy.deepcopy(whole)
    stays = np.arange(32) if units.embedding is None else units.embedding
    gone = np.setdiff1d(np.arange(32), stays)
    for parameter in (model.patch_embed.proj.weight, model.patch_embed.proj.bias):
        parameter[gone] = 0
    for parameter in (model.cls_token, model.pos_embed):
        parameter[..., gone] = 0
    for block, kept in zip(model.blocks, units.blocks, strict=True):
        mask_attention(block, kept)
        block.mlp.fc2.weight[:, np.setdiff1d(np.arange(128), kept.mlp)] = 0
        for layer in (block.attn.proj, block.mlp.fc2):
            layer.weight[gone], layer.bias[gone] = 0, 0
        block.norm1, block.norm2 = Norm(block.norm1, stays), Norm(block.norm2, stays)
    last = "norm" if isinstance(model.norm, nn.LayerNorm) else "fc_norm"
    setattr(model, last, Norm(getattr(model, last), stays))
    return Masked(model, [kept.heads for kept in units.blocks])


@settings(max_examples=25)
@given(st.sampled_from([trained, pooled]), st.sampled_from(sorted(UNITS)), st.integers(0, 2**31))
def test_what_is_gone_is_what_is_masked(make: Any, member: str, seed: int) -> None:
    space, rng = joint(make, member), np.random.default_rng(seed)
    row = space.sample(1, rng)[0]
    row[-1] = rng.integers(member == "units", space.columns[-1].cardinality)  # the first choice of units is all of them
    candidate = architecture_of(space.decode(row))
    images = torch.randn(3, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    kept = [[(count, None) for count in of] for of in (candidate.prune_kept, candidate.merge_kept)]
    with torch.inference_mode():
        gone = candidate.build().double().eval()(images)
        whole = masked(make(), candidate.vit.units).double().eval()(images, *kept)
    assert (gone - whole).abs().max() < 1e-5


def built(candidate: Any) -> tuple[int, int]:
    network = settled(candidate.build()).eval().to("meta")
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, *candidate.input_shape, device="meta"))
    return sum(weights.numel() for weights in network.parameters()), counter.get_total_flops() // 2


@pytest.mark.parametrize("pool", ["class", "mean"])
@pytest.mark.parametrize("member", sorted(UNITS))
def test_everything_is_one_space_and_costs_what_is_built(pool: str, member: str) -> None:
    layout = Layout(32, 3, 4, 2, side=8, channels=1, classes=10, pool=pool)
    members = {member: pg.clone(UNITS[member], deep=True), "compression": compressions(binary=())}
    space = GenotypeSpace(pg.Dict(architecture=diffrate(layout, gap=1), **members, training=hyperparameters()))
    for row in space.sample(12, np.random.default_rng(1)):
        candidate = architecture_of(space.decode(row))
        graph = candidate.ops()
        check_wiring(graph.inputs, graph, graph.wiring)
        assert (counts.params(graph), counts.macs(graph)) == built(candidate)


def test_rates_remove_what_they_do_without_token_counts() -> None:
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for make in (trained, pooled):
        for rate in (0.0, 0.3, 0.5, 0.9):
            rates = PruningRates([rate], multiple=2)
            tokens = rates.applied_to(compressed(Compressible(make), [17] * 3, [17] * 3))
            plain = rates.applied_to(lapp.whole(make, (1, 8, 8)))
            assert (counts.params(tokens.ops()), counts.macs(tokens.ops())) == built(plain)
            with torch.inference_mode():
                difference = tokens.build().eval()(images) - plain.build().eval()(images)
            assert difference.abs().max() < 1e-5


def test_weights_of_the_whole_are_kept_through_every_choice() -> None:
    whole = compressed(Compressible(trained), [17, 12, 9], [17, 10, 6])
    weights = {name: 2 * each for name, each in trained().state_dict().items()}
    network: Any = LowRank(1.0).applied_to(OptinUnits(0.5, Examples(batch)).applied_to(whole)).build(weights).model
    rows = OptinUnits(0.5, Examples(batch)).units(trained()).blocks[1].mlp
    assert torch.equal(network.blocks[1].mlp.fc2.weight, weights["blocks.1.mlp.fc2.weight"][:, rows])


def test_units_do_not_hang_on_token_counts() -> None:
    few, many = (compressed(Compressible(trained), [17, n, n], [17, n, n]) for n in (4, 17))
    choice = GlobalDimensions(0.5, Examples(batch))
    assert choice.applied_to(few).vit.layout == choice.applied_to(many).vit.layout


def test_tokens_of_a_model_that_is_cut_already_are_compressed() -> None:
    def smaller() -> nn.Module:
        return GlobalDimensions(0.5, Examples(batch)).apply(trained())

    candidate = compressed(Compressible(smaller), [17, 12, 9], [17, 10, 6])
    assert (counts.params(candidate.ops()), counts.macs(candidate.ops())) == built(candidate)


def test_the_whole_of_everything_is_told() -> None:
    whole = compressed(Compressible(trained), [17] * 3, [17] * 3)
    fewer = compressed(Compressible(trained), [17, 12, 9], [17, 10, 6])
    assert BitWidth(8).applied_to(OptinUnits(0.5, Examples(batch)).applied_to(fewer)).whole == whole


def test_published_macs_are_those_of_what_stays() -> None:
    whole = compressed(Compressible(trained), [17] * 3, [17] * 3)
    cut = OptinUnits(0.5, Examples(batch)).applied_to(whole)
    patch = LAYOUT.width * LAYOUT.patch**2  # the paper counts one more
    assert cut.published_macs == counts.macs(cut.ops()) + patch
    assert 0.4 < cut.published_macs / whole.published_macs < 0.6


def test_bits_are_of_the_layers_that_are_left() -> None:
    cut = OptinUnits(0.5, Examples(batch)).applied_to(compressed(Compressible(trained), [17, 9, 9], [17, 9, 5]))
    layers = layer_costs(BitWidth(8, 8).applied_to(cut))
    linear = [each for each in cut.build().modules() if isinstance(each, nn.Linear | nn.Conv2d)]
    assert len(layers) == len(linear) == 20
    assert sorted(layer.weights for layer in layers) == sorted(each.weight.numel() for each in linear)
    assert {layer.weight_bits for layer in layers} == {8}


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_units_of_transformers_of_other_packages_are_cut(package: str) -> None:
    module = pytest.importorskip(f"{package}.models.vision_transformer", exc_type=ImportError)

    def make() -> nn.Module:
        sizes = {"patch_size": 4, "num_classes": 10}
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            if package == "timm":
                return module.VisionTransformer(img_size=16, embed_dim=32, depth=3, num_heads=4, **sizes)
            return module.VisionTransformer(
                image_size=16, hidden_dim=32, mlp_dim=64, num_layers=3, num_heads=4, **sizes
            )

    def pictures() -> tuple[Tensor, Tensor]:
        return torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.arange(8)

    whole = compressed(Compressible(make), [17, 12, 9], [17, 9, 5])
    for choice in (OptinUnits(0.5, Examples(pictures)), GlobalDimensions(0.5, Examples(pictures)), PruningRates([0.5])):
        candidate = LowRank(0.5).applied_to(choice.applied_to(whole))
        assert (counts.params(candidate.ops()), counts.macs(candidate.ops())) == built(candidate)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda whole: OptinUnits(0.5, Examples(batch)).applied_to(BitWidth(8).applied_to(whole)),
            "units are cut before weights are compressed",
        ),
        (
            lambda whole: OptinUnits(0.01, Examples(batch)).applied_to(whole),
            "one head and one neuron in each block need",
        ),
        (
            lambda whole: ViT(OptinUnits(0.5, Examples(batch)).applied_to(whole).vit.layout),
            "a transformer is made whole",
        ),
        (
            lambda whole: PruningRates([0.5]).applied_to(OptinUnits(0.5, Examples(batch)).applied_to(whole)),
            "cut once, not by OptinUnits and then RatedUnits",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(compressed(Compressible(trained), [17, 9, 9], [17, 9, 5]))
