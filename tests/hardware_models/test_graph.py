"""Networks as graphs."""

from __future__ import annotations

import copy
import pickle

import pytest

from hardware_models.counts import macs
from hardware_models.graph import Graph, Tape, as_graph, composite, expanded
from hardware_models.op import chain, conv2d, elementwise, linear
from tests.hardware_models.every_kind import SQUEEZE, WIDE

SHAPE = (4, 5, 5)
CONV, RELU, ADD = conv2d(SHAPE, 4, 3), elementwise("relu", SHAPE), elementwise("add", SHAPE, 2)


def residual() -> Graph:
    """Return a convolution whose input is added to its output."""
    tape = Tape(SHAPE)
    tape.run(ADD, 0, tape.run(CONV, 0))
    return tape.graph()


def test_a_tape_writes_down_what_each_operator_reads():
    graph = residual()
    assert graph == (CONV, ADD)
    assert (graph.inputs, graph.wiring, graph.output) == ((SHAPE,), ((0,), (0, 1)), 2)


def test_a_graph_is_a_tuple_of_its_operators():
    assert isinstance(residual(), tuple)
    assert macs(residual()) == macs([CONV])
    assert len({residual(): 1, (CONV, ADD): 2}) == 1


def test_values_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"relu 4x5x5 -> 4x5x5 takes values of the shapes .* was to read \(\(9,\),\)"):
        Tape((9,)).run(RELU, 0)
    with pytest.raises(ValueError, match=r"the graph takes values of the shapes"):
        Tape((9,)).replay(residual(), 0)


def test_a_graph_is_replayed_on_other_values():
    tape = Tape(SHAPE)
    value = tape.replay(residual(), tape.replay(residual(), tape.run(RELU, 0)))
    assert tape.graph().wiring == ((0,), (1,), (1, 2), (3,), (3, 4))
    assert value == 5


def test_a_network_may_return_an_earlier_value():
    tape = Tape(SHAPE)
    assert tape.graph(0).output == 0
    assert Tape(SHAPE).replay(tape.graph(0), 0) == 0


@pytest.mark.parametrize("again", [copy.deepcopy, lambda graph: pickle.loads(pickle.dumps(graph))])
def test_copies_keep_the_wiring(again):
    graph = again(residual())
    assert (graph, graph.wiring, graph.output) == ((CONV, ADD), ((0,), (0, 1)), 2)


def test_a_sequence_reads_what_was_before():
    assert as_graph([CONV, RELU]).wiring == ((0,), (1,))
    assert as_graph(residual()).wiring == residual().wiring
    assert as_graph(()) == ()


def test_a_sequence_whose_shapes_do_not_follow_is_refused():
    with pytest.raises(ValueError, match=r"linear 9 -> 3 \(bias True\) reads values of the shapes \(\(4, 5, 5\),\)"):
        as_graph([CONV, linear((9,), 3)])


def test_composites_are_replaced_by_what_they_hold():
    tape = Tape(SHAPE)
    wide = tape.run(chain("conv_relu", conv2d(SHAPE, 8, 3), elementwise("relu", (8, 5, 5))), 0)
    tape.run(chain("back", conv2d((8, 5, 5), 4, 1), RELU), wide)
    graph = expanded(tape.graph())
    assert [op.kind for op in graph] == ["conv2d", "relu", "conv2d", "relu"]
    assert graph.wiring == ((0,), (1,), (2,), (3,))


def test_composites_within_composites_keep_their_wiring():
    graph = expanded(as_graph([chain("block", elementwise("relu", WIDE), SQUEEZE)]))
    assert graph.wiring == ((0,), (1,), (2,), (3,), (4,), (5,), (1, 6))


def test_a_composite_of_a_graph():
    block = composite("residual", residual())
    assert (block.inputs, block.output, block.inner, block.wiring) == ((SHAPE,), SHAPE, (CONV, ADD), ((0,), (0, 1)))


def test_a_composite_returns_its_last_operators_output():
    tape = Tape(SHAPE)
    tape.run(RELU, 0)
    with pytest.raises(ValueError, match="the composite 'odd' must return the output of its last operator"):
        composite("odd", tape.graph(0))
