"""The memory that a network's activations take at once, from the lives of its tensors.

The operators run in their given order. A tensor is alive from the operator that makes it, or from the start where it is
the network's input, to the last operator that reads it; the network's output to the end. While an operator runs, its
inputs and its output are alive together. The peak is the largest sum of the bytes of all that is alive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import ClassVar

from hardware_models.graph import Graph, as_graph, expanded
from hardware_models.kinds import ACTIVATIONS, ARITHMETIC, NORMS, VIEWS
from hardware_models.op import DTYPE_BYTES, Op, Shape

IN_PLACE = ACTIVATIONS | ARITHMETIC | NORMS
"""Kinds that may write their output over an input."""


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """The hardware model `peak_memory_bytes`: a maximum over the network, and so no sum of what operators add.

    Attributes:
      in_place: see `peak_memory_bytes`.
      dtype: of all tensors; each operator's own where it is None.
    """

    in_place: bool = True
    dtype: str | None = None
    metrics: ClassVar[tuple[str, ...]] = ("peak_memory_bytes",)

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return `peak_memory_bytes`; raise as that does."""
        return {"peak_memory_bytes": float(peak_memory_bytes(ops, in_place=self.in_place, dtype=self.dtype))}


def peak_memory_bytes(ops: Sequence[Op], *, in_place: bool = True, dtype: str | None = None) -> int:
    """Return the largest number of bytes that inputs, outputs and tensors kept for later take while one operator runs.

    One image; composites are taken apart; views share their input's memory. Weights do not count (they are
    `counts.weight_bytes`), nor does what an operator needs for itself, e.g. the scores within an attention.

    Args:
      ops: a `Graph`, or a sequence in which each operator reads the output of the one before.
      in_place: whether norms, activations, sums and products write over an input of the output's shape that nothing
        reads afterwards, as engines for inference do; if not, each has an output of its own, as in PyTorch by default.
        The network's input is never written over.
      dtype: of all tensors; each operator's own where it is None.

    Raises:
      ValueError: for a sequence that says too little of what its operators read, or an unknown dtype.
    """
    graph = expanded(as_graph(ops))
    changes = [0] * (len(graph) + 2)
    for buffer in _buffers(graph, in_place, dtype):
        changes[buffer.first] += buffer.bytes
        changes[buffer.last + 1] -= buffer.bytes
    return max(accumulate(changes))


@dataclass(slots=True)
class _Buffer:
    """Memory that holds one or more values, from the first step to the last."""

    bytes: int
    first: int
    last: int
    writable: bool = True


def _buffers(graph: Graph, in_place: bool, dtype: str | None) -> list[_Buffer]:
    """Return all buffers of a graph of plain operators."""
    last_reads = _last_reads(graph)
    dtypes = [dtype or op.dtype for op in graph]
    first = dtypes[0] if dtypes else "float32"
    buffers = [_Buffer(_bytes(shape, first), 0, last_reads[value], False) for value, shape in enumerate(graph.inputs)]
    holders = list(buffers)
    for step, (op, sources) in enumerate(zip(graph, graph.wiring, strict=True)):
        size = _bytes(op.output, dtypes[step])
        holder = _shared(op, size, [holders[source] for source in sources], step, in_place)
        if holder is None:
            holder = _Buffer(size, step, step)
            buffers.append(holder)
        holder.last = max(holder.last, last_reads[len(holders)])
        holders.append(holder)
    return buffers


def _shared(op: Op, size: int, read: Sequence[_Buffer], step: int, in_place: bool) -> _Buffer | None:
    """Return the buffer of an input that the output may lie in; None if it needs one of its own."""
    if op.kind in VIEWS:
        return read[0]
    if in_place and op.kind in IN_PLACE:
        return next((held for held in read if held.writable and held.last <= step and held.bytes == size), None)
    return None


def _last_reads(graph: Graph) -> list[int]:
    """Return the last step that each value is alive in: the last that reads it, or else the one that makes it."""
    made = [0] * len(graph.inputs) + list(range(len(graph)))
    for step, sources in enumerate(graph.wiring):
        for source in sources:
            made[source] = step
    if graph:
        made[graph.output] = len(graph)  # read after the last step: nothing may write over it
    return made


def _bytes(shape: Shape, dtype: str) -> int:
    if dtype not in DTYPE_BYTES:
        raise ValueError(f"unknown dtype {dtype!r}; expected one of {', '.join(DTYPE_BYTES)}")
    return prod(shape) * DTYPE_BYTES[dtype]
