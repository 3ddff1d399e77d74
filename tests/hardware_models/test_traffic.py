"""The work of an operator: arithmetic, and bytes to and from memory."""

from __future__ import annotations

import pytest

from hardware_models.op import Op, chain, conv2d, elementwise, linear
from hardware_models.traffic import Work, works
from tests.hardware_models.every_kind import SQUEEZE

SHAPE = (4, 5, 5)
CONV, RELU, NORM = conv2d(SHAPE, 8, 1), elementwise("relu", SHAPE), elementwise("batch_norm2d", (8, 5, 5))


def test_a_layer_reads_its_weights_and_input_and_writes_its_output():
    assert works(linear((8,), 3)) == (Work(24, 4 * 27, 4 * (8 + 3), "float32"),)


def test_a_sum_reads_all_of_its_inputs():
    assert works(elementwise("add", SHAPE, 3)) == (Work(0, 0, 4 * 400, "float32"),)


def test_a_view_is_no_work():
    assert works(Op("flatten", (SHAPE,), (100,))) == ()


def test_norms_and_activations_are_free_within_a_composite_alone():
    assert works(chain("relu_conv_bn", RELU, CONV, NORM)) == works(CONV)
    assert works(RELU) == (Work(0, 0, 4 * 200, "float32"),)


def test_without_fusion_norms_and_activations_are_work():
    assert works(chain("relu_conv_bn", RELU, CONV, NORM), fused=False) == (*works(RELU), *works(CONV), *works(NORM))


def test_the_operators_of_a_composite_are_kernels_of_their_own():
    kernels = [op for op in SQUEEZE.inner if op.kind not in ("relu", "hardsigmoid")]
    assert works(SQUEEZE) == tuple(works(op)[0] for op in kernels)
    assert works(chain("twice", chain("once", CONV, NORM), conv2d((8, 5, 5), 4, 1))) == (
        *works(CONV),
        *works(conv2d((8, 5, 5), 4, 1)),
    )


def test_another_dtype_moves_fewer_bytes():
    assert works(linear((8,), 3), "int8") == (Work(24, 27, 11, "int8"),)


def test_weights_move_once_for_a_batch():
    assert works(linear((8,), 3))[0].moved_bytes(batch=10) == 4 * 27 + 10 * 4 * 11


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ValueError, match="unknown dtype 'int7'; expected one of float32"):
        works(RELU, "int7")
