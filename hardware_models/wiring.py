"""Wirings: which values the operators of a network or composite read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware_models.op import Op, Shape, Wiring


def in_sequence(ops: Sequence[Op]) -> Wiring:
    """Return the wiring of operators that run one after another, the first on all inputs.

    An operator of two inputs whose shapes differ is a gate, e.g. the product that ends a squeeze-and-excitation: one of
    them is the output of the operator before, the other the latest value of its shape.

    Raises:
      ValueError: for another operator of several inputs, as a sequence does not say what it reads.
    """
    values = [*ops[0].inputs, ops[0].output]
    wiring = [tuple(range(len(ops[0].inputs)))]
    for op in ops[1:]:
        wiring.append((len(values) - 1,) if len(op.inputs) == 1 else _gate(op, values))
        values.append(op.output)
    return tuple(wiring)


def check_wiring(inputs: Sequence[Shape], ops: Sequence[Op], wiring: Wiring) -> None:
    """Raise ValueError unless each operator reads values that there are by then, of the shapes that it takes."""
    if len(wiring) != len(ops):
        raise ValueError(f"a wiring of {len(wiring)} operators was given for {len(ops)}")
    values = list(inputs)
    for op, sources in zip(ops, wiring, strict=True):
        if any(not 0 <= source < len(values) for source in sources):
            raise ValueError(f"{op} reads the values {sources}; there are {len(values)} by then")
        read = tuple(values[source] for source in sources)
        if read != op.inputs:
            raise ValueError(f"{op} reads values of the shapes {read}")
        values.append(op.output)


def _gate(op: Op, values: Sequence[Shape]) -> tuple[int, int]:
    """Return what a gate reads of `values`, the last of which it reads for certain."""
    if len(op.inputs) == 2 and op.inputs[0] != op.inputs[1] and values[-1] in op.inputs:
        other = op.inputs[1 - op.inputs.index(values[-1])]
        found = next((number for number in reversed(range(len(values))) if values[number] == other), None)
        if found is not None:
            last = len(values) - 1
            return (last, found) if op.inputs[0] == values[-1] else (found, last)
    raise ValueError(f"{op}: a sequence does not say what it reads; name its inputs by hardware_models.graph.Tape")
