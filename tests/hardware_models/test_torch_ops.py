"""Operators as PyTorch modules."""

from __future__ import annotations

import pytest
import torch

from hardware_models.attention import attention, packed_attention
from hardware_models.graph import Tape, composite
from hardware_models.kinds import KINDS
from hardware_models.op import Op, conv2d, elementwise, pool2d
from hardware_models.torch_ops import KINDS as BUILT
from hardware_models.torch_ops import build, example_inputs
from tests.hardware_models.every_kind import IMAGE, OPS, PLAIN, SQUEEZE, WIDE


def run(op: Op, batch: int = 2) -> torch.Tensor:
    """Return what the operator's module computes on its example inputs."""
    with torch.inference_mode():
        output: torch.Tensor = build(op)(*example_inputs(op, batch, torch.Generator().manual_seed(0)))
    return output


@pytest.mark.parametrize("op", OPS, ids=str)
def test_a_module_computes_the_declared_shape(op: Op):
    assert tuple(run(op).shape) == (2, *op.output)


def test_every_kind_can_be_built_and_is_tried_here():
    assert {op.kind for op in PLAIN} == BUILT == KINDS


def test_a_kernel_along_the_width_is_one_high():
    conv = build(conv2d((4, 9, 12), 6, 7, stride=2, along="width"))
    assert (conv.kernel_size, conv.stride, conv.padding, conv.dilation) == ((1, 7), (1, 2), (0, 3), (1, 1))


def test_gates_multiply_what_they_were_computed_from():
    features = torch.randn(1, *WIDE, generator=torch.Generator().manual_seed(0))
    block = build(SQUEEZE)
    gates = features.mean((2, 3), keepdim=True)
    for part in list(block.children())[1:-1]:
        gates = part(gates)
    assert torch.allclose(block(features), features * gates)


def test_a_residual_block_adds_its_own_input():
    tape = Tape(IMAGE)
    tape.run(elementwise("add", IMAGE, 2), 0, tape.run(elementwise("relu", IMAGE), 0))
    block = build(composite("residual", tape.graph()))
    assert block(torch.full((1, *IMAGE), 3.0)).unique().tolist() == [6.0]


def test_windows_attend_to_themselves_alone():
    attend = build(packed_attention((8, 12), 2, 4, window=4))
    packed = torch.randn(1, 8, 12, generator=torch.Generator().manual_seed(0))
    alone = [build(packed_attention((4, 12), 2, 4))(packed[:, half]) for half in (slice(4), slice(4, 8))]
    assert torch.allclose(attend(packed), torch.cat(alone, dim=1), atol=1e-6)


def test_positions_are_told_apart_by_their_offset():
    positions = build(attention((9, 4), 1, bias=True)).positions
    positions.table.data = torch.arange(25.0).reshape(1, 5, 5)
    added = positions()[0]
    assert added.diagonal().tolist() == [12.0] * 9
    assert (added[0, 1], added[1, 0], added[0, 3], added[8, 0]) == (11.0, 13.0, 7.0, 24.0)


def test_a_bias_of_positions_is_added_to_the_scores():
    attend = build(attention((4, 2), 1, bias=True))
    attend.positions.table.data[:] = torch.tensor([[0, 0, 0], [0, 99, 0], [0, 0, 0]])
    values = torch.arange(8.0).reshape(1, 4, 2)
    assert torch.allclose(attend(torch.ones(1, 4, 2), torch.ones(1, 4, 2), values), values)


def test_merged_tokens_are_the_mean_of_what_is_alike():
    merge = build(Op("token_merge", ((4, 2),), (2, 2)))
    tokens = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [3.0, 0.1], [5.0, 0.2]]])
    assert torch.allclose(merge(tokens), torch.tensor([[[3.0, 0.1], [0.0, 1.0]]]))


def test_shuffled_channels_are_those_of_pytorch():
    images = torch.arange(12.0).reshape(1, 12, 1, 1)
    shuffled = build(Op("channel_shuffle", ((12, 1, 1),), (12, 1, 1), groups=3))(images)
    assert torch.equal(shuffled, torch.nn.ChannelShuffle(3)(images))


def test_pruned_tokens_keep_their_order():
    prune = build(Op("token_prune", ((4, 1), (4,)), (2, 1)))
    tokens = torch.arange(4.0).reshape(1, 4, 1)
    assert prune(tokens, torch.tensor([[0.1, 0.4, 0.2, 0.9]])).flatten().tolist() == [1.0, 3.0]


def test_average_pooling_leaves_the_padding_out():
    pool = build(pool2d("avg_pool2d", (1, 4, 4), 3))
    assert torch.equal(pool(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_an_addition_sums_all_of_its_inputs():
    add = build(elementwise("add", (3,), 3))
    assert add(torch.ones(1, 3), torch.ones(1, 3), torch.ones(1, 3)).tolist() == [[3.0, 3.0, 3.0]]


def test_a_bfloat16_operator_computes_in_bfloat16():
    assert run(Op("linear", ((8,),), (4,), dtype="bfloat16")).dtype == torch.bfloat16


def test_example_inputs_follow_the_generator():
    op = elementwise("relu", (4, 6, 6))
    first, second = (example_inputs(op, 1, torch.Generator().manual_seed(7))[0] for _ in range(2))
    assert torch.equal(first, second)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="there is no PyTorch module for the kind 'fourier'"):
        build(elementwise("fourier", (4, 6, 6)))


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ValueError, match="dtype 'int8' cannot be timed with PyTorch; expected one of float32"):
        build(Op("relu", ((4,),), (4,), dtype="int8"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((4, 6, 6), (4, 6, 6)),
        ((4, 6, 6), (4, 3, 3)),
        ((4, 3, 3), (7, 3, 3)),
        ((8, 2, 2), (4, 8)),
        ((4, 5, 5), (9, 3, 3)),
    ],
)
def test_an_identity_brings_numbers_to_another_shape(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    module = build(Op("identity", (before,), after))
    assert module(torch.randn(2, *before)).shape == (2, *after)


def test_importance_is_what_the_first_token_attends_to():
    importance = build(Op("token_importance", ((2, 6),), (2,), heads=2))
    packed = torch.tensor([[[1.0, 0.0, 0.0, 0.0, 9.0, 9.0], [9.0, 9.0, 2.0, 7.0, 9.0, 9.0]]])
    of_heads = torch.tensor([[0.0, 2.0], [0.0, 0.0]]).softmax(1)
    assert torch.allclose(importance(packed), of_heads.mean(0, keepdim=True))
    apart = build(Op("token_importance", ((2, 2), (2, 2)), (2,), heads=2))
    assert torch.equal(apart(packed[..., :2], packed[..., 2:4]), importance(packed))
