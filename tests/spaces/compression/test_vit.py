"""Pruned vision transformers: what is cut computes what is masked, and the sources' counts and choices."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from spaces.compression.nvit import Dimensions, averaged, next_group, revit, taylor
from spaces.compression.optin import head_macs, importance, neuron_macs, select
from spaces.compression.vit_cut import BlockUnits, Units, cut, whole_units
from tests.spaces.compression.tiny_vit import TinyViT, mask_attention

IMAGES = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SMALL = Dimensions(64, (4, 4), (16, 16), (16, 16), (64, 64))


def some_units(rng: np.random.Generator) -> Units:
    def some(count: int) -> np.ndarray:
        return np.sort(rng.choice(count, rng.integers(1, count + 1), replace=False))

    return Units(tuple(BlockUnits(some(4), some(8), some(8), some(96)) for _ in range(2)))


@torch.no_grad()
def masked(model: TinyViT, units: Units) -> nn.Module:
    """Return a copy whose other heads, dimensions and neurons are zero."""
    copied = copy.deepcopy(model)
    for block, kept in zip(copied.blocks, units.blocks, strict=True):
        mask_attention(block, kept)
        gone = np.setdiff1d(np.arange(96), kept.mlp)
        block.mlp.fc2.weight[:, gone] = 0
    return copied


@pytest.mark.parametrize("seed", range(6))
def test_a_cut_transformer_computes_what_a_masked_one_does(seed: int) -> None:
    torch.manual_seed(seed)
    model, units = TinyViT().eval(), some_units(np.random.default_rng(seed))
    expected = masked(model, units)(IMAGES)
    assert torch.allclose(cut(model, units)(IMAGES), expected, atol=1e-5)


def test_nothing_cut_is_the_same() -> None:
    model = TinyViT()
    whole = cut(model, Units(tuple(whole_units(model)), np.arange(32)))
    assert torch.allclose(whole(IMAGES), model(IMAGES), atol=1e-5)


def test_an_embedding_is_cut_everywhere() -> None:
    model = TinyViT()
    smaller = cut(model, Units(tuple(whole_units(model)), np.arange(0, 32, 2)))
    assert smaller(IMAGES).shape == (3, 10)
    assert smaller.norm.weight.shape == (16,)
    smaller(IMAGES).sum().backward()
    assert smaller.blocks[0].attn.q.weight.grad.shape == (32, 16)


def test_other_models_and_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="Linear is no vision transformer with timm's names"):
        cut(nn.Linear(2, 2), Units(()))
    units = whole_units(TinyViT())
    with pytest.raises(ValueError, match="at least one of each kind, got 2 blocks"):
        cut(TinyViT(), Units((replace(units[0], heads=np.array([], int)), units[1])))


@pytest.mark.parametrize(
    ("embedding", "macs", "params"), [(176, 1_135_290_112, 5_339_136), (384, 4_705_190_400, 23_123_280)]
)
def test_the_counts_of_revit(embedding: int, macs: int, params: int) -> None:
    assert (revit(embedding).macs(), revit(embedding).params()) == (macs, params)


def test_counts_are_those_of_deit() -> None:
    deit = Dimensions(384, (6,) * 12, (64,) * 12, (64,) * 12, (1536,) * 12)
    assert deit.macs(197, 1) == 4_598_882_304
    assert deit.params(197, 1) == 22_050_664


def test_the_score_of_a_neuron_is_a_squared_taylor_term() -> None:
    model = TinyViT()
    model(IMAGES).square().sum().backward()
    mlp, scores = model.blocks[1].mlp, taylor(model)
    term = (mlp.fc1.weight[5] * mlp.fc1.weight.grad[5]).sum() + mlp.fc1.bias[5] * mlp.fc1.bias.grad[5]
    term = term + (mlp.fc2.weight[:, 5] * mlp.fc2.weight.grad[:, 5]).sum()
    assert scores["mlp"][1, 5] == pytest.approx(float(term.detach()) ** 2, rel=1e-4)
    assert {kind: each.shape for kind, each in scores.items()} == {
        "embedding": (32,), "heads": (2, 4), "qk": (2, 8), "v": (2, 8), "mlp": (2, 96),
    }  # fmt: skip


def scores(**lowest: float) -> dict[str, np.ndarray]:
    found = {
        "embedding": np.ones(64),
        **{kind: np.ones((2, n)) for kind, n in (("heads", 4), ("qk", 16), ("v", 16), ("mlp", 64))},
    }
    for kind, value in lowest.items():
        found[kind][1, -8:] = value
    return found


def test_the_lowest_group_goes_first() -> None:
    kind, block, units = next_group(scores(qk=0.01, v=0.02), SMALL, lambda _: 0.0)
    assert (kind, block, units.tolist()) == ("qk", 1, [8, 9, 10, 11, 12, 13, 14, 15])


def test_what_saves_latency_goes_before_that() -> None:
    by_values = next_group(scores(qk=0.01, v=0.02), SMALL, lambda sizes: 1000.0 * sum(sizes.v))
    assert by_values[:2] == ("v", 1)


def test_groups_that_are_the_last_stay() -> None:
    gone = {kind: np.full_like(each, np.inf) for kind, each in scores().items()}
    with pytest.raises(ValueError, match="no group of units is left that could be pruned"):
        next_group(gone, SMALL, lambda _: 0.0)


def test_scores_are_averaged_over_steps() -> None:
    first = averaged(None, {"mlp": np.array([1.0])})
    assert averaged(first, {"mlp": np.array([2.0])})["mlp"].tolist() == pytest.approx([1.1])


def test_heads_and_neurons_of_bert() -> None:
    assert head_macs(128, 768, 64) == 27_262_976
    assert neuron_macs(128, 768) == 196_608
    assert 144 * head_macs(128, 768, 64) + 12 * 3072 * neuron_macs(128, 768) == 11_173_625_856


def test_the_number_of_heads_is_that_whose_sum_is_largest() -> None:
    heads, neurons = np.array([[5.0, 1.0], [3.0, 2.0]]), np.array([[1.0, 0.9, 0.8, 0.7], [0.6, 0.5, 0.4, 0.3]])
    found = select(heads, neurons, 10, head=4, neuron=1)
    assert found.heads.tolist() == [[True, False], [True, False]]
    assert found.neurons.tolist() == [[True, True, False, False], [False] * 4]
    assert found.worth == pytest.approx(9.9)


def test_all_fits_a_large_budget_and_nothing_none() -> None:
    heads, neurons = np.ones((2, 3)), np.ones((2, 5))
    assert select(heads, neurons, 1e9, head=4, neuron=1).worth == 16
    assert not select(heads, neurons, 0.5, head=4, neuron=1).heads.any()
    with pytest.raises(ValueError, match="the budget must be at least 0, got -1"):
        select(heads, neurons, -1, head=4, neuron=1)


def test_what_changes_nothing_has_no_importance() -> None:
    features, logits = [torch.eye(4)], torch.tensor([[1.0, 2.0]])
    assert importance(features, features, logits, logits) == 0


def test_similarities_of_the_last_layer_count_half() -> None:
    logits, same, other = torch.tensor([[1.0, 2.0]]), torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert importance([same, same], [other, same], logits, logits) == pytest.approx(2)
    assert importance([same, same], [same, other], logits, logits) == pytest.approx(1)


def test_logits_are_brought_to_a_tenth_of_the_features() -> None:
    same, other = torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    found = importance([same, same], [other, same], torch.tensor([[0.0, 0.1]]), torch.tensor([[0.1, 0.0]]))
    assert 2 + 0.2 / 10**0.5 <= found <= 2 + 0.2 * 10**0.5
