"""NViT's and OPTIN's choices as decisions of a joint space: exact costs, and within their share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hardware_models import counts
from hardware_models.architecture import architecture_of
from hardware_models.device_sheet import device_sheet
from hardware_models.layer_costs import layer_costs
from hardware_models.roofline import Roofline
from hardware_models.wiring import check_wiring
from spaces.compression.block_table import BlockTable, block_grid, block_ops, block_table
from spaces.compression.examples import Examples
from spaces.compression.global_dimensions import GlobalDimensions
from spaces.compression.nvit import Dimensions
from spaces.compression.optin import head_macs, neuron_macs
from spaces.compression.optin_units import OptinUnits, importances
from spaces.compression.sparsity import Unstructured
from spaces.compression.vit_cut import CutAttention
from spaces.compression.vit_units import vit_units
from spaces.compressions import compressions
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import hyperparameters
from spaces.lapp import whole
from spaces.pruning_rates import PruningRates, pruning_rates
from spaces.vit import VisionTransformer, vit
from tests.spaces.compression.tiny_vit import TinyViT

TINY = VisionTransformer(3, 2, 2, 16, 2, 8, 1, 10)


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 1, 8, 8, generator=generator), torch.arange(8)


def pictures() -> tuple[Tensor, Tensor]:
    return torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.arange(8)


def roofline() -> Roofline:
    return Roofline(device_sheet("raspberrypi4"))


def built(candidate: Any) -> tuple[int, int]:
    network = candidate.build().to("meta").eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, *candidate.input_shape, device="meta"))
    return sum(weights.numel() for weights in network.parameters()), counter.get_total_flops() // 2


def joint(**settings: Any) -> GenotypeSpace:
    return GenotypeSpace(
        pg.Dict(
            architecture=vit((2, 3), (2,), (2,), patch=2, side=8, channels=1),
            units=vit_units(batch),
            pruning=pruning_rates(2, (0.0, 0.5)),
            compression=compressions(**settings),
            training=hyperparameters(epochs=[1]),
        )
    )


def test_everything_is_one_space_and_costs_what_is_built() -> None:
    space = joint(shares=[], patterns=[], weights=[], binary=[])
    for row in space.sample(8, np.random.default_rng(1)):
        candidate = architecture_of(space.decode(row))
        graph = candidate.ops()
        check_wiring(graph.inputs, graph, graph.wiring)
        assert (counts.params(graph), counts.macs(graph)) == built(candidate)


@pytest.mark.parametrize("share", [0.4, 0.6, 0.8])
def test_heads_and_neurons_stay_within_their_share(share: float) -> None:
    units = OptinUnits(share, Examples(batch)).units(TINY.build())
    head, neuron = head_macs(17, 48, 16), neuron_macs(17, 48)
    kept = sum(len(block.heads) * head + len(block.mlp) * neuron for block in units.blocks)
    budget = share * 2 * (3 * head + 96 * neuron)
    assert budget - neuron < kept <= budget


@pytest.mark.parametrize("model", [None, roofline])
def test_dimensions_go_until_the_latency_is_within_its_share(model: Any) -> None:
    units = GlobalDimensions(0.5, Examples(batch), model).units(TINY.build())
    sizes = [tuple(len(getattr(block, kind)) for block in units.blocks) for kind in ("heads", "qk", "v", "mlp")]
    assert units.embedding is not None
    measure = roofline() if model else counts.Counts(("macs",))
    table = block_table(measure, measure.metrics[0], (48, 3, 16, 16, 96), 17)
    found = table(Dimensions(len(units.embedding), *sizes))  # type: ignore[arg-type]
    assert found <= 0.5 * table(Dimensions(48, (3, 3), (16, 16), (16, 16), (96, 96)))


def test_the_embedding_may_be_held_whole() -> None:
    units = GlobalDimensions(0.5, Examples(batch), embedding=False).units(TINY.build())
    assert units.embedding is not None
    assert len(units.embedding) == 48
    assert sum(len(block.mlp) for block in units.blocks) < 2 * 96


def test_a_useless_head_and_neuron_go_first() -> None:
    torch.manual_seed(0)
    model: Any = TINY.build()
    with torch.no_grad():
        model.blocks[1].attn.proj.weight[:, 16:32] = 0
        model.blocks[0].mlp.fc2.weight[:, 7] = 0
    heads, neurons = importances(model, batch()[0])
    assert (heads[1, 1], neurons[0, 7]) == (0, 0)
    assert np.count_nonzero(heads == 0) == np.count_nonzero(neurons == 0) == 1
    units = OptinUnits(0.9, Examples(batch)).units(model)
    assert 7 not in units.blocks[0].mlp


def test_a_trained_model_is_an_architecture_whose_own_weights_decide() -> None:
    torch.manual_seed(0)
    trained = TinyViT()
    with torch.no_grad():
        trained.blocks[0].mlp.fc2.weight[:, 32:] = 0
        trained.blocks[1].mlp.fc2.weight[:, :64] = 0

    def make() -> nn.Module:
        model = TinyViT()
        model.load_state_dict(trained.state_dict())
        return model

    candidate = OptinUnits(0.7, Examples(pictures)).applied_to(whole(make, (3, 16, 16)))
    images = pictures()[0]
    smaller = candidate.build().eval()
    assert torch.allclose(smaller(images), trained.eval()(images), atol=1e-5)
    assert (counts.params(candidate.ops()), counts.macs(candidate.ops())) == built(candidate)


def test_what_is_decided_does_not_hang_on_the_weights_of_a_build() -> None:
    torch.manual_seed(1)
    candidate = GlobalDimensions(0.5, Examples(batch)).applied_to(TINY)
    first = built(candidate)
    torch.manual_seed(2)
    assert built(candidate) == first == (counts.params(candidate.ops()), counts.macs(candidate.ops()))


def test_apply_cuts_a_model_and_leaves_it() -> None:
    model: Any = TINY.build()
    smaller: Any = OptinUnits(0.5, Examples(batch)).apply(model)
    assert isinstance(smaller.blocks[0].attn, CutAttention)
    assert model.blocks[0].attn.qkv.weight.shape == (144, 48)
    smaller(batch()[0]).sum().backward()


def test_all_weights_of_a_cut_network_are_held() -> None:
    candidate = GlobalDimensions(0.5, Examples(batch)).applied_to(TINY)
    assert sum(layer.weights for layer in layer_costs(candidate)) == counts.params(
        candidate.ops(), norms=False, biases=False
    ) - 18 * len(candidate.build().cls_token[0, 0])  # the class token and positions are weights of no layer


def test_a_table_is_interpolated_on_all_axes() -> None:
    table = block_table(lambda ops: {"macs": float(counts.macs(ops))}, "macs", (48, 3, 16, 16, 96), 17)
    for block in ((48, 3, 16, 16, 96), (30, 2, 5, 11, 50), (1, 1, 1, 1, 1)):
        assert table.at(block) == pytest.approx(counts.macs(block_ops(block, 17)))  # a sum of products is multilinear
    assert table.at((0, 3, 16, 16, 96)) == 0


def test_a_table_between_two_points() -> None:
    table = BlockTable([[0, 10], [1], [1], [1], [1, 3]], np.array([0, 0, 20.0, 40.0]).reshape(2, 1, 1, 1, 2))
    assert (table.at((10, 1, 1, 1, 2)), table.at((5, 1, 1, 1, 3)), table.at((20, 1, 1, 1, 9))) == (30, 20, 40)


def test_the_operators_that_a_table_needs() -> None:
    grid = block_grid((16, 1, 4, 4, 8), 5)
    assert {op.kind for op in grid} == {"layer_norm", "linear", "attention", "add", "gelu"}
    assert set(block_ops((16, 1, 4, 4, 8), 5)) <= set(grid)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vit_units(batch, macs=[1.0]), "shares must be above 0 and below 1, got 1.0"),
        (lambda: OptinUnits(0.0, Examples(batch)).units(TINY.build()), "must be above 0 and below 1, got 0.0"),
        (lambda: GlobalDimensions(1.0, Examples(batch)).units(TINY.build()), "must be above 0 and below 1, got 1.0"),
        (lambda: OptinUnits(0.01, Examples(batch)).units(TINY.build()), "one head and one neuron in each block need"),
        (lambda: GlobalDimensions(0.001, Examples(batch)).units(TINY.build()), "no group of units is left"),
        (lambda: OptinUnits(0.5, Examples(batch)).units(nn.Linear(2, 2)), "no vision transformer with timm's names"),
        (
            lambda: OptinUnits(0.5, Examples(batch)).applied_to(PruningRates([0.5]).applied_to(TINY)).ops(),
            "One whose channels are pruned is none any more: cut units first",
        ),
        (
            lambda: OptinUnits(0.5, Examples(batch)).applied_to(Unstructured(0.5).applied_to(TINY)),
            "units are cut before weights are compressed",
        ),
        (lambda: BlockTable([[0, 1]], np.zeros(3)), r"expected values of the shape \(2,\), got \(3,\)"),
    ],
)
def test_impossible_choices_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_examples_are_a_function() -> None:
    with pytest.raises(TypeError, match="expected a function that returns images and labels, got 3"):
        vit_units(3)  # type: ignore[arg-type]
