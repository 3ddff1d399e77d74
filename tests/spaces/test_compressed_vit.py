"""Compressed transformers: tokens that are gone are tokens that are masked, and what pruning and merging do."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spaces.networks.compressed_vit import CompressedViT, by_importance, merge
from spaces.networks.masked_vit import MaskedViT
from spaces.networks.torchvision_vit import as_vit
from spaces.networks.vit import ViT
from spaces.networks.vit_parts import layout_of
from spaces.token_compression.layouts import Layout

TOKENS, DEPTH = 17, 4
SCHEDULE = st.lists(st.integers(2, TOKENS + 2), min_size=DEPTH, max_size=DEPTH)


@cache
def transformer(pool: str) -> nn.Module:
    torch.manual_seed(0)
    model = ViT(Layout(16, DEPTH, 2, 2, side=8, classes=4, pool=pool)).eval()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model


@settings(max_examples=40)
@given(SCHEDULE, SCHEDULE, st.sampled_from(["class", "mean"]), st.integers(0, 100))
def test_a_masked_transformer_is_the_compressed_one(pruned: list[int], merged: list[int], pool: str, seed: int) -> None:
    model, images = transformer(pool), torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        gone = CompressedViT(model, pruned, merged).eval()(images)
        masked = MaskedViT(model).eval()(
            images, [(count, None) for count in pruned], [(count, None) for count in merged]
        )
    assert (gone - masked).abs().max() < 1e-5


@pytest.mark.parametrize("pool", ["class", "mean"])
def test_images_of_a_batch_are_compressed_each_for_itself(pool: str) -> None:
    network, images = CompressedViT(transformer(pool), [17, 12, 9, 5], [17, 10, 7, 3]).eval(), torch.randn(4, 3, 8, 8)
    with torch.inference_mode():
        one_by_one = torch.cat([network(image[None]) for image in images])
        assert torch.allclose(network(images), one_by_one, atol=1e-6)


def test_a_schedule_that_keeps_all_is_the_whole_transformer() -> None:
    model, images = transformer("class"), torch.randn(2, 3, 8, 8)
    assert torch.equal(CompressedViT(model, [17] * 4, [17] * 4).eval()(images), model(images))


def test_the_class_token_is_first_and_the_least_important_last() -> None:
    assert by_importance(torch.tensor([[0.0, 0.1, 0.5, 0.4]]), 3).tolist() == [[0, 2, 3]]


def test_tokens_merge_into_what_is_most_alike_but_never_the_class_token() -> None:
    tokens = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.8, 0.6], [2.0, 0.0], [0.0, 3.0]]])
    merged, sizes = merge(tokens, torch.tensor([[1.0, 1.0, 1.0, 2.0, 1.0]]), 3)
    assert torch.allclose(merged, torch.tensor([[[1.0, 0.0], [0.0, 2.0], [1.4, 0.3]]]))
    assert torch.allclose(sizes, torch.tensor([[1.0, 2.0, 1 + 2 * 0.8]]))


def test_training_raises_sizes_to_1_before_they_are_added() -> None:
    tokens = torch.tensor([[[1.0, 0.0], [0.8, 0.6], [2.0, 0.0]]])
    sizes = merge(tokens, torch.tensor([[1.0, 0.5, 1.0]]), 2, least=1.0)[1]
    assert sizes.tolist() == [[1.0, 2.0]]


def test_a_training_mask_lets_gradients_through() -> None:
    model, chances = transformer("class"), torch.full((TOKENS,), 0.5, requires_grad=True)
    whole = [(TOKENS, None)] * DEPTH
    network = MaskedViT(model).train()
    logits = network(torch.randn(2, 3, 8, 8), [whole[0], (9, chances), *whole[2:]], whole)
    (gradient,) = torch.autograd.grad(logits.square().sum(), chances)
    assert (gradient[1:] != 0).all()


@pytest.mark.parametrize(
    ("package", "name", "make"),
    [
        ("timm.models.vision_transformer", "VisionTransformer", {"patch_size": 4, "embed_dim": 16, "num_classes": 4}),
        ("torchvision.models.vision_transformer", "VisionTransformer",
         {"patch_size": 4, "hidden_dim": 16, "mlp_dim": 64, "image_size": 16, "num_classes": 4}),
    ],
)  # fmt: skip
def test_transformers_of_other_packages_are_taken_apart(package: str, name: str, make: dict[str, Any]) -> None:
    pytest.importorskip(package.partition(".")[0], exc_type=ImportError)
    sizes = {"img_size": 16, "depth": 3, "num_heads": 2} if "timm" in package else {"num_layers": 3, "num_heads": 2}
    model = getattr(importlib.import_module(package), name)(**make, **sizes).eval()
    for parameter in model.parameters():  # a head of zeros would tell nothing
        parameter.data = 0.2 * torch.randn_like(parameter)
    images, known = torch.randn(2, 3, 16, 16), as_vit(model)
    assert layout_of(known) == Layout(16, 3, 2, 4, side=16, classes=4)
    assert torch.allclose(CompressedViT(known, [17] * 3, [17] * 3).eval()(images), model(images), atol=1e-5)
    assert CompressedViT(known, [17, 12, 9], [17, 9, 5]).eval()(images).shape == (2, 4)
    known.load_state_dict(model.state_dict())


def test_training_leaves_out_a_share_of_the_patches_and_evaluation_none() -> None:
    model, images = ViT(Layout(16, 2, 2, 2, side=8, classes=4), patch_drop=0.75), torch.randn(5, 3, 8, 8)
    whole = model.eval().embed(images)
    assert whole.shape == (5, 17, 16)
    some = CompressedViT(model, [17, 17], [17, 17]).train().model.embed(images)
    assert some.shape == (5, 5, 16)
    assert torch.equal(some[:, 0], whole[:, 0])
    alike = (some[:, 1:, None] == whole[:, None, 1:]).all(3)
    assert (alike.sum(2) == 1).all()
    assert (alike.sum(1) <= 1).all()
    with pytest.raises(ValueError, match="patch_drop must be at least 0 and below 1, got 1"):
        ViT(Layout(16, 2, 2, 2, side=8), patch_drop=1.0)
