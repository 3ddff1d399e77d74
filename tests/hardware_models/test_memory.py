"""Peak memory of activations: by hand, and against the tensors that live during real forward passes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models._base import HardwareModel
from hardware_models.graph import Graph, Tape, composite
from hardware_models.memory import PeakMemory, peak_memory_bytes
from hardware_models.op import Op, Shape, chain, conv2d, elementwise, linear
from hardware_models.torch_ops import build
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv
from spaces.nasbench201 import NasBench201, live_edges, nasbench201
from tests.hardware_models.every_kind import COMPOSITES, IMAGE
from tests.hardware_models.live_tensors import measured_peak
from tests.hardware_models.published_networks import deit

SHAPE: Shape = (4, 5, 5)
RELU, CONV, ADD = elementwise("relu", SHAPE), conv2d(SHAPE, 4, 3), elementwise("add", SHAPE, 2)
IMAGE_BYTES = 4 * 4 * 25


def in_bytes(ops: object, **settings: object) -> float:
    """Return the peak in units of one tensor of `SHAPE`."""
    return peak_memory_bytes(ops, **settings) / IMAGE_BYTES  # type: ignore[arg-type]


def residual() -> Graph:
    """Return conv, relu, conv and the addition of the first one's output."""
    tape = Tape(SHAPE)
    first = tape.run(CONV, 0)
    tape.run(ADD, first, tape.run(CONV, tape.run(RELU, first)))
    return tape.graph()


def test_nothing_takes_nothing():
    assert peak_memory_bytes(()) == 0


def test_an_operator_takes_its_input_and_its_output():
    assert peak_memory_bytes([linear((8,), 3)]) == 4 * (8 + 3)


def test_what_was_read_is_freed():
    assert in_bytes([CONV, CONV, CONV]) == 2


def test_a_shortcut_lives_until_it_is_added():
    assert in_bytes(residual(), in_place=False) == 3


def test_an_activation_writes_over_what_nothing_reads_afterwards():
    wide = [conv2d((1, 5, 5), 4, 3), RELU, elementwise("add", SHAPE, 1)]
    assert in_bytes(wide) == 1.25
    assert in_bytes(wide, in_place=False) == 2


def test_an_activation_does_not_write_over_the_networks_input():
    assert in_bytes([RELU]) == 2


def test_an_activation_does_not_write_over_what_is_read_later():
    tape = Tape((1, 5, 5))
    first = tape.run(conv2d((1, 5, 5), 4, 3), 0)
    tape.run(ADD, tape.run(RELU, first), first)
    assert in_bytes(tape.graph()) == 2


def test_nothing_writes_over_the_output():
    tape = Tape((1, 5, 5))
    first = tape.run(conv2d((1, 5, 5), 4, 3), 0)
    tape.run(RELU, first)
    assert in_bytes(tape.graph(first)) == 2


def test_a_view_takes_nothing_and_keeps_its_input():
    tape = Tape(SHAPE)
    flat = tape.run(Op("flatten", (SHAPE,), (100,)), 0)
    other = tape.run(linear((100,), 100), flat)
    tape.run(elementwise("add", (100,), 2), flat, other)
    assert in_bytes(tape.graph(), in_place=False) == 3


def test_composites_are_taken_apart():
    narrow = chain("bottleneck", conv2d(SHAPE, 8, 1), conv2d((8, 5, 5), 4, 1))
    assert in_bytes([narrow]) == 3
    assert in_bytes([narrow, narrow]) == 3


def test_halves_take_half():
    assert in_bytes([CONV, CONV], dtype="float16") == 1
    assert in_bytes([Op("relu", (SHAPE,), SHAPE, dtype="int8")]) == 0.5


def test_a_sequence_that_says_too_little_is_refused():
    with pytest.raises(ValueError, match=r"add 4x5x5 \+ 4x5x5 -> 4x5x5: a sequence does not say what it reads"):
        peak_memory_bytes([CONV, ADD])


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ValueError, match="unknown dtype 'int7'; expected one of float32"):
        peak_memory_bytes([CONV], dtype="int7")


def test_it_is_a_hardware_model():
    assert isinstance(PeakMemory(), HardwareModel)
    assert dict(PeakMemory(in_place=False)(residual())) == {"peak_memory_bytes": 3 * IMAGE_BYTES}
    assert PeakMemory(dtype="int8")(residual())["peak_memory_bytes"] == 3 * IMAGE_BYTES / 4


@pytest.mark.parametrize(
    ("space", "in_place"),
    [(nasbench201(resolution=16, cells=2), False), (mbconv(), False), (mbconv(), True), (mbconv((3, 16, 16)), True)],
)
def test_networks_of_a_space_take_what_lives_in_a_real_pass(space, in_place):
    compiled = GenotypeSpace(space)
    for row in compiled.sample(5, np.random.default_rng(2)):
        network = compiled.decode(row)
        if isinstance(network, NasBench201) and not live_edges(network.edges):
            continue  # its cells make zeros, which no operator stands for
        measured = measured_peak(network.build(), network.input_shape, in_place=in_place)
        assert peak_memory_bytes(network.ops(), in_place=in_place) == measured


@pytest.mark.parametrize("op", [op for op in COMPOSITES if op.inputs == (IMAGE,)], ids=str)
def test_composites_take_what_lives_in_a_real_pass(op):
    assert peak_memory_bytes([op], in_place=False) == measured_peak(build(op), op.inputs[0], in_place=False)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Return a network of up to 8 operators that read any earlier values; what none has read is added up at its end."""
    tape, unread = Tape(SHAPE), {0}
    for number in range(draw(st.integers(1, 8))):
        op = draw(st.sampled_from([RELU, CONV, ADD, elementwise("identity", SHAPE)]))
        read = [draw(st.integers(0, number)) for _ in op.inputs]
        unread = unread - set(read) | {tape.run(op, *read)}
    while len(unread) > 1:
        unread |= {tape.run(ADD, unread.pop(), unread.pop())}
    return tape.graph(unread.pop())


@given(graphs())
@settings(max_examples=60)
def test_any_graph_takes_what_lives_in_a_real_pass(graph):
    network = build(composite("any", graph))
    assert peak_memory_bytes(graph, in_place=False) == measured_peak(network, SHAPE, in_place=False)


@given(graphs())
@settings(max_examples=60)
def test_writing_in_place_never_takes_more(graph):
    assert peak_memory_bytes(graph) <= peak_memory_bytes(graph, in_place=False)


def test_a_transformer_peaks_in_its_mlp():
    tokens, wide = 197 * 192, 197 * 768
    assert peak_memory_bytes(deit(192)) == 4 * (2 * tokens + wide)
