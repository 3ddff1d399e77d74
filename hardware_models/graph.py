"""Networks as graphs: the operators in the order they run, and which values each of them reads.

A candidate's `ops()` may return a plain tuple, whose operators each read the output of the one before, or a `Graph`.
Costs that are sums over operators are the same for both; the memory of what is alive at once needs the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hardware_models.op import Op, Shape, Wiring
from hardware_models.wiring import check_wiring, in_sequence


class Graph(tuple[Op, ...]):
    """The operators of a network as a tuple, which it equals, with the values that they read beside it.

    Values are numbered: the network's inputs first, then each operator's output in the order they run.

    Attributes:
      inputs: the shapes of the network's inputs.
      wiring: for each operator, the values that it reads.
      output: the value that the network returns.
    """

    inputs: tuple[Shape, ...]
    wiring: Wiring
    output: int

    def __new__(cls, ops: Iterable[Op], inputs: tuple[Shape, ...], wiring: Wiring, output: int) -> Graph:
        """Take what the class describes; `Tape` and `as_graph` make graphs that are right."""
        graph = super().__new__(cls, ops)
        graph.inputs, graph.wiring, graph.output = inputs, wiring, output
        return graph

    def __getnewargs__(self) -> tuple[tuple[Op, ...], tuple[Shape, ...], Wiring, int]:
        """Return what copies and process boundaries make another one from."""
        return tuple(self), self.inputs, self.wiring, self.output


class Tape:
    """Writes down operators as a network runs them; a value is a number that `run` returned or one of `inputs`."""

    def __init__(self, *shapes: Shape) -> None:
        """Start a network whose inputs have these shapes; their values are `inputs`."""
        self.inputs = range(len(shapes))
        self._shapes = list(shapes)
        self._ops: list[Op] = []
        self._wiring: list[tuple[int, ...]] = []

    def shape(self, value: int) -> Shape:
        """Return the shape of a value."""
        return self._shapes[value]

    def run(self, op: Op, *values: int) -> int:
        """Run `op` on values and return its output's.

        Raises:
          ValueError: for values of other shapes than `op` takes.
        """
        self._check(op, op.inputs, values)
        self._ops.append(op)
        self._wiring.append(values)
        self._shapes.append(op.output)
        return len(self._shapes) - 1

    def replay(self, graph: Graph, *values: int) -> int:
        """Run all operators of `graph` on values and return the value of its output.

        Raises:
          ValueError: for values of other shapes than `graph` takes.
        """
        self._check("the graph", graph.inputs, values)
        made = len(self._shapes)
        known: list[int] = [*values, *range(made, made + len(graph))]
        self._ops += graph
        self._wiring += [tuple([known[source] for source in sources]) for sources in graph.wiring]
        self._shapes += [op.output for op in graph]
        return known[graph.output]

    def graph(self, output: int | None = None) -> Graph:
        """Return what has been run; the network's output is the last value unless another is given."""
        shapes = tuple(self._shapes[: len(self.inputs)])
        return Graph(self._ops, shapes, tuple(self._wiring), len(self._shapes) - 1 if output is None else output)

    def _check(self, reader: object, taken: tuple[Shape, ...], values: tuple[int, ...]) -> None:
        read = tuple([self._shapes[value] for value in values])
        if read != taken:
            raise ValueError(f"{reader} takes values of the shapes {taken} and was to read {read}")


def as_graph(ops: Sequence[Op]) -> Graph:
    """Return `ops` if they are a graph, else the graph of a sequence; see `hardware_models.wiring.in_sequence`.

    Raises:
      ValueError: where an operator of a sequence does not take the output of the one before, or takes other values too.
    """
    if isinstance(ops, Graph):
        return ops
    if not ops:
        return Graph((), (), (), 0)
    wiring, inputs = in_sequence(ops), ops[0].inputs
    check_wiring(inputs, ops, wiring)
    return Graph(ops, inputs, wiring, len(inputs) + len(ops) - 1)


def inner_graph(op: Op) -> Graph:
    """Return the graph of a composite's operators."""
    if not op.wiring:
        return as_graph(op.inner)
    return Graph(op.inner, op.inputs, op.wiring, len(op.inputs) + len(op.inner) - 1)


def composite(kind: str, graph: Graph) -> Op:
    """Return the operators of `graph`, whose last one gives its output, as one operator named `kind`.

    Raises:
      ValueError: where the output is another value.
    """
    if not graph or graph.output != len(graph.inputs) + len(graph) - 1:
        raise ValueError(f"the composite {kind!r} must return the output of its last operator")
    last = graph[-1]
    return Op(kind, graph.inputs, last.output, dtype=last.dtype, inner=tuple(graph), wiring=graph.wiring)


def expanded(graph: Graph) -> Graph:
    """Return the same network of plain operators alone: composites are replaced by what they hold."""
    tape = Tape(*graph.inputs)
    values = _run_plain(tape, graph, list(tape.inputs))
    return tape.graph(values[graph.output] if values else None)


def _run_plain(tape: Tape, graph: Graph, values: list[int]) -> list[int]:
    """Run the plain operators of `graph` and return the tape's value for each of its own."""
    for op, sources in zip(graph, graph.wiring, strict=True):
        read = [values[source] for source in sources]
        values.append(_run_plain(tape, inner_graph(op), read)[-1] if op.inner else tape.run(op, *read))
    return values
