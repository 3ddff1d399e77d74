"""The operator record."""

from __future__ import annotations

from hardware_models.op import Op, chain, conv2d, elementwise, linear


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


def test_a_composite_has_the_ends_of_its_chain():
    block = chain("relu_conv", elementwise("relu", (4, 2, 2)), conv2d((4, 2, 2), 8, 3))
    assert (block.inputs, block.output) == (((4, 2, 2),), (8, 2, 2))
    assert isinstance(block.inner[0], Op)
