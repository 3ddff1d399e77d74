"""The operators of a NASNet cell (Zoph et al. 2017, and what TF-slim does where it is silent: docs/spaces.md)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hardware_models.graph import Graph, Tape
from hardware_models.op import Op, Shape, elementwise, pool2d
from spaces import _cell_operators as operators
from spaces._nasnet_nets import BlockCode


class CellCode(NamedTuple):
    """A cell as plain tuples, which can be hashed."""

    blocks: tuple[BlockCode, ...]
    kept: tuple[int, ...] = ()

    @property
    def concat(self) -> tuple[int, ...]:
        """The states that make the cell's output, ascending."""
        read = {state for inputs, _, _ in self.blocks for state in inputs}
        return tuple(state for state in range(len(self.blocks) + 2) if state not in read or state in self.kept)

    @property
    def widths(self) -> tuple[int, ...]:
        """The channels of each state as multiples of the filters; those of the first two once they are matched."""
        return (1, 1, *(2 if combine == "concat" else 1 for _, _, combine in self.blocks))


@lru_cache(maxsize=1024)
def cell_graph(code: CellCode, filters: int, reduction: bool, current: Shape, previous: Shape | None = None) -> Graph:
    """Return the operators of one cell on its input and the output of the cell before, where there is one."""
    tape = Tape(current) if previous is None else Tape(current, previous)
    states = [tape.run(operators.relu_conv_bn(current, filters), 0)]
    states.append(0 if previous is None else _as_wide(tape, 1, tape.shape(states[0]), relu=True))
    for inputs, names, combine in code.blocks:
        parts = []
        for state, name in zip(inputs, names, strict=True):
            value = states[state]
            for op in _operation(name, tape.shape(value), filters, 2 if reduction and state < 2 else 1):
                value = tape.run(op, value)
            parts.append(value)
        shape = tape.shape(parts[0])
        states.append(
            tape.run(elementwise("add", shape, 2), *parts) if combine == "add" else operators.concat(tape, *parts)
        )
    matched = (filters, *tape.shape(states[-1])[1:])
    put_out = [
        states[state] if state > 1 else _as_wide(tape, states[state], matched, relu=False) for state in code.concat
    ]
    return tape.graph(operators.concat(tape, *put_out))


def _as_wide(tape: Tape, value: int, wanted: Shape, *, relu: bool) -> int:
    """Return a value of the wanted shape: by a factorised reduction, by a 1x1 convolution, or as it is."""
    shape = tape.shape(value)
    if shape[1:] != wanted[1:]:
        return tape.run(operators.factorized_reduction(shape, wanted[0], relu=relu), value)
    if shape != wanted:
        return tape.run((operators.relu_conv_bn if relu else operators.conv_bn)(shape, wanted[0]), value)
    return value


@lru_cache(maxsize=4096)
def _operation(name: str, inputs: Shape, filters: int, stride: int) -> tuple[Op, ...]:
    kind, _, kernels = name.rpartition("_")
    kernel = int(kernels[-1]) if kernels[-1].isdigit() else 1
    match kind:
        case "avg_pool" | "max_pool":
            pool = pool2d(f"{kind}2d", inputs, kernel, stride)
            return (pool,) if inputs[0] == filters else (pool, operators.conv_bn(pool.output, filters))
        case "sep_conv":
            return (operators.separable_conv(inputs, filters, kernel, stride),)
        case "dil_conv":
            return (operators.relu_conv_bn(inputs, filters, kernel, stride, dilation=2),)
        case "conv":
            return (operators.relu_conv_bn(inputs, filters, kernel, stride),)
        case "conv_1x3" | "conv_1x7":
            return (operators.factorized_conv(inputs, filters, int(kind[-1]), stride),)
    same = stride == 1 and inputs[0] == filters
    return () if same else (operators.relu_conv_bn(inputs, filters, 1, stride),)
