"""Composite operators of mobile blocks: what they count, and that they compute what the spaces' modules compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hardware_models import counts
from hardware_models.blocks import (
    Squeeze,
    classifier,
    conv_act,
    conv_bn,
    divisible,
    inverted_residual,
    squeeze_excitation,
)
from hardware_models.graph import Tape, composite
from hardware_models.op import chain, conv2d, elementwise
from hardware_models.torch_ops import build
from spaces.networks.inverted_residual import InvertedResidual


@pytest.mark.parametrize(
    ("channels", "expected"), [(16 * 1.2, 24), (24 * 1.2, 32), (112 * 1.2, 136), (3, 8), (11, 16), (12, 16), (14, 16)]
)
def test_channels_are_rounded_as_in_mobilenets(channels: float, expected: int):
    assert divisible(channels) == expected


SWISH = Squeeze(6, "silu", "sigmoid")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"squeeze": True},
        {"shortcut": True},
        {"squeeze": True, "shortcut": True},
        {"squeeze": SWISH},
        {"expand": True, "shortcut": True},
        {"expand": True, "groups": 2},
        {"groups": 2, "shortcut": True},
        {"depthwise": 2, "squeeze": SWISH},
    ],
)
@pytest.mark.parametrize("middle", [16, 48])
def test_an_inverted_residual_computes_what_the_networks_block_computes(settings: dict[str, Any], middle: int):
    op = inverted_residual((16, 9, 9), 16, 5, middle=middle, activation="hardswish", **settings)
    module = InvertedResidual(16, 16, 5, 1, middle=middle, activation="hardswish", **settings).eval()
    timed = build(op)
    timed.load_state_dict(dict(zip(timed.state_dict(), module.state_dict().values(), strict=True)))
    images = torch.randn(2, 16, 9, 9, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(timed(images), module(images), atol=1e-5)
    assert sum(weights.numel() for weights in module.parameters()) == counts.params([op])


def test_channels_are_shuffled_between_the_groups():
    block = inverted_residual((8, 4, 4), 12, 3, 2, middle=8, activation="relu", expand=True, groups=2, depthwise=2)
    kinds = "conv2d batch_norm2d relu channel_shuffle conv2d batch_norm2d relu conv2d batch_norm2d relu conv2d"
    assert [op.kind for op in block.inner] == [*kinds.split(), "batch_norm2d"]
    convs = [(op.kernel, op.stride, op.groups) for op in block.inner if op.kind == "conv2d"]
    assert convs == [(1, 1, 2), (3, 2, 8), (3, 1, 8), (1, 1, 2)]


def test_what_is_chosen_makes_another_key():
    plain = inverted_residual((24, 8, 8), 24, 3, middle=72, activation="relu")
    others = [
        inverted_residual((24, 8, 8), 24, 3, middle=72, activation="hardswish"),
        inverted_residual((24, 8, 8), 24, 3, middle=72, activation="relu", squeeze=True),
        inverted_residual((24, 8, 8), 24, 3, middle=72, activation="relu", shortcut=True),
        inverted_residual((24, 8, 8), 24, 3, 2, middle=72, activation="relu"),
        inverted_residual((24, 8, 8), 24, 3, middle=72, activation="relu", groups=2),
        inverted_residual((24, 8, 8), 24, 3, middle=72, activation="relu", depthwise=2),
        inverted_residual((24, 8, 8), 24, 3, middle=72, activation="relu", squeeze=Squeeze(6, "silu", "sigmoid")),
    ]
    assert len({plain, *others}) == 8
    assert plain == inverted_residual((24, 8, 8), 24, 3, middle=72, activation="relu")


def test_squeezing_takes_a_quarter_of_the_channels_rounded():
    assert counts.params([squeeze_excitation((72, 8, 8))]) == 72 * 24 + 24 + 24 * 72 + 72


def test_squeezing_may_take_another_width_and_activation():
    squeezed = squeeze_excitation((72, 8, 8), Squeeze(5, "silu", "sigmoid"))
    assert counts.params([squeezed]) == 72 * 5 + 5 + 5 * 72 + 72
    kinds = ["global_avg_pool", "conv2d", "silu", "conv2d", "sigmoid", "mul"]
    assert [op.kind for op in squeezed.inner] == kinds


def test_convolutions_and_classifiers_are_named_by_what_they_hold():
    assert conv_bn((3, 8, 8), 16, 3, 2, activation="relu6").kind == "conv_bn_relu6"
    assert [op.kind for op in conv_act((8, 1, 1), 16, 1, activation="hardswish").inner] == ["conv2d", "hardswish"]
    assert [op.kind for op in classifier((8, 1, 1), 10).inner] == ["flatten", "linear"]
    assert [op.kind for op in classifier((8, 7, 7), 10).inner] == ["global_avg_pool", "linear"]


def test_a_shortcut_needs_equal_shapes():
    with pytest.raises(ValueError, match=r"a shortcut needs equal shapes, got \(8, 4, 4\) and \(8, 2, 2\)"):
        inverted_residual((8, 4, 4), 8, 3, 2, middle=24, activation="relu", shortcut=True)


def test_a_sequence_is_the_same_key_however_it_was_written() -> None:
    conv = conv2d((3, 8, 8), 4, 3)
    relu = elementwise("relu", conv.output)
    tape = Tape((3, 8, 8))
    tape.run(relu, tape.run(conv, 0))
    assert composite("conv_relu", tape.graph()) == chain("conv_relu", conv, relu)
