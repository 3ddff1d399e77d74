"""The operator record."""

from __future__ import annotations

import pytest

from hardware_models.op import Op, chain, conv2d, elementwise, linear, pool2d
from tests.hardware_models.every_kind import SQUEEZE


def test_equal_operators_are_one_key():
    assert {conv2d((3, 8, 8), 16, 3): 1}[conv2d((3, 8, 8), 16, 3)] == 1


def test_a_strided_convolution_rounds_its_output_as_torch_does():
    assert conv2d((3, 15, 8), 4, 3, stride=2).output == (4, 8, 4)


def test_a_dilated_convolution_keeps_the_size():
    assert conv2d((3, 15, 8), 4, 3, dilation=2).output == (4, 15, 8)


def test_an_operator_reads_like_a_sentence():
    assert str(conv2d((3, 8, 8), 16, 3)) == "conv2d 3x8x8 -> 16x8x8 (kernel 3, padding 1)"
    assert str(elementwise("add", (4, 2, 2), 2)) == "add 4x2x2 + 4x2x2 -> 4x2x2"
    assert str(linear((8,), 10)) == "linear 8 -> 10 (bias True)"


def test_a_composite_names_what_it_holds():
    block = chain("relu_conv", elementwise("relu", (4, 2, 2)), conv2d((4, 2, 2), 8, 3))
    assert str(block) == "relu_conv 4x2x2 -> 8x2x2 (relu > conv2d 3x3)"
    assert str(chain("narrow", conv2d((4, 9, 9), 8, 7, along="width"))) == "narrow 4x9x9 -> 8x9x9 (conv2d 1x7)"


def test_a_composite_has_the_ends_of_its_chain():
    block = chain("relu_conv", elementwise("relu", (4, 2, 2)), conv2d((4, 2, 2), 8, 3))
    assert (block.inputs, block.output) == (((4, 2, 2),), (8, 2, 2))
    assert isinstance(block.inner[0], Op)


def test_a_kernel_along_one_direction_leaves_the_other_as_it_is():
    assert conv2d((3, 15, 8), 4, 7, stride=2, along="width") == Op(
        "conv2d", ((3, 15, 8),), (4, 15, 4), 7, stride=2, padding=3, along="width"
    )
    assert conv2d((3, 15, 8), 4, 7, stride=2, along="height").output == (4, 8, 8)
    assert str(conv2d((3, 15, 8), 4, 7, along="width")) == (
        "conv2d 3x15x8 -> 4x15x8 (kernel 7, padding 3, along width)"
    )


def test_a_direction_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="along is 'depth'; expected both, height or width"):
        conv2d((3, 15, 8), 4, 7, along="depth")


def test_patches_have_no_padding():
    assert conv2d((3, 224, 224), 192, 16, 16, padding=0).output == (192, 14, 14)


def test_a_pooling_keeps_the_channels():
    assert pool2d("max_pool2d", (8, 9, 9), 3, 2) == Op("max_pool2d", ((8, 9, 9),), (8, 5, 5), 3, stride=2, padding=1)


def test_a_chain_of_single_inputs_needs_no_wiring():
    assert chain("relu_conv", elementwise("relu", (4, 2, 2)), conv2d((4, 2, 2), 8, 3)).wiring == ()


def test_a_gate_reads_what_it_gates_and_the_operator_before():
    assert SQUEEZE.wiring == ((0,), (1,), (2,), (3,), (4,), (0, 5))
    assert SQUEEZE.inputs == ((8, 6, 6),)


def test_a_gate_within_a_longer_chain_reads_the_latest_features():
    conv = conv2d((4, 6, 6), 8, 1)
    block = chain("block", conv, elementwise("relu", (8, 6, 6)), *SQUEEZE.inner)
    assert block.wiring[-1] == (2, 7)


def test_a_chain_whose_first_operator_has_several_inputs_takes_them_all():
    block = chain("add_relu", elementwise("add", (4, 2, 2), 2), elementwise("relu", (4, 2, 2)))
    assert (block.inputs, block.wiring) == (((4, 2, 2),) * 2, ((0, 1), (2,)))


def test_a_chain_does_not_guess_what_is_added():
    with pytest.raises(ValueError, match=r"add 4x2x2 \+ 4x2x2 -> 4x2x2: a sequence does not say what it reads"):
        chain("residual", conv2d((4, 2, 2), 4, 3), elementwise("add", (4, 2, 2), 2))


@pytest.mark.parametrize(
    ("wiring", "message"),
    [
        (((0,),), "a wiring of 1 operators was given for 2"),
        (((0,), (2,)), r"reads the values \(2,\); there are 2 by then"),
        (((0,), (-1,)), r"reads the values \(-1,\); there are 2 by then"),
        (((0,), (0,)), r"relu 8x2x2 -> 8x2x2 reads values of the shapes \(\(4, 2, 2\),\)"),
    ],
)
def test_a_wiring_that_does_not_fit_is_refused(wiring, message):
    inner = (conv2d((4, 2, 2), 8, 3), elementwise("relu", (8, 2, 2)))
    with pytest.raises(ValueError, match=message):
        Op("conv_relu", ((4, 2, 2),), (8, 2, 2), inner=inner, wiring=wiring)
