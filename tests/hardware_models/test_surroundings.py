"""What operators are surrounded by, and what of it is subtracted."""

from __future__ import annotations

import pytest
import torch

from hardware_models.folding import fold
from hardware_models.op import Op, conv2d, elementwise, linear
from hardware_models.surroundings import Surrounded, Surroundings, parts, seeds, surrounds
from hardware_models.torch_ops import build, example_inputs

CONV = conv2d((8, 6, 6), 16, 3)
ADD = elementwise("add", (8, 6, 6), 2)


def outputs(op: Op) -> tuple[torch.Tensor, ...]:
    """Return what an operator within its surroundings gives, folded as an engine folds it."""
    generator = torch.Generator().manual_seed(0)
    inputs = seeds(example_inputs(op, 2, generator), generator)
    found: tuple[torch.Tensor, ...] = fold(Surrounded(op, build(op)))(*inputs)
    return found


def test_the_output_and_the_input_are_pooled():
    assert [tuple(output.shape) for output in outputs(CONV)] == [(2, 16, 1, 1), (2, 8, 1, 1)]


def test_the_first_of_two_inputs_has_one_reader_so_that_engines_fuse():
    assert [tuple(output.shape) for output in outputs(ADD)] == [(2, 8, 1, 1), (2, 8, 1, 1)]


def test_the_first_layer_reads_images_as_they_are():
    stem = conv2d((3, 6, 6), 8, 3)
    example = (torch.zeros(1, 3, 6, 6),)
    assert seeds(example, torch.Generator())[0] is example[0]
    assert parts(stem) == {(8, 6, 6): 0.5}


def test_vectors_and_tokens_have_no_surroundings():
    assert not surrounds((16,))
    assert not surrounds((49, 64))
    assert parts(linear((64,), 10)) == {}
    assert len(outputs(linear((64,), 10))) == 1


def test_what_surrounds_a_convolution_is_made_once_and_taken_in_twice():
    assert parts(CONV) == {(8, 6, 6): 1.0, (16, 6, 6): 0.5}


def test_parts_of_one_shape_add_up():
    assert parts(ADD) == {(8, 6, 6): pytest.approx(2.0)}


def test_surroundings_make_an_image_and_pool_it():
    (seed,) = seeds((torch.zeros(2, 8, 6, 6),), torch.Generator())
    assert tuple(seed.shape) == (2, 1, 6, 6)
    assert tuple(Surroundings((8, 6, 6))(seed).shape) == (2, 8, 1, 1)
