"""The latency of a transformer's blocks from a table of one block, interpolated (NViT: Yang et al., CVPR 2023).

The table has one axis each for the embedding, heads, dimensions of queries and of values in a head, and neurons. It is
0 at an embedding of 0, and multilinear between its points, which are this project's: 1 and each quarter of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

from hardware_models.attention import attention
from hardware_models.op import Op, elementwise, linear
from spaces.compression.nvit import Dimensions

Model = Callable[[Sequence[Op]], Mapping[str, float]]
"""A hardware model: operators to metrics."""

Block = tuple[int, int, int, int, int]
"""The embedding, heads, dimensions of queries and of values in each head, neurons."""


class BlockTable:
    """A metric of blocks.

    Attributes:
      axes: the points of each axis, ascending.
      values: the metric at each of them, float64, one axis for each of `axes`.
    """

    def __init__(self, axes: Sequence[Sequence[int]], values: np.ndarray) -> None:
        """Take the table. Raises ValueError where the points and the values do not fit."""
        if values.shape != tuple(map(len, axes)):
            raise ValueError(f"expected values of the shape {tuple(map(len, axes))}, got {values.shape}")
        self.axes, self.values = [np.asarray(axis, float) for axis in axes], values
        self._known: dict[Block, float] = {}

    def __call__(self, dimensions: Dimensions) -> float:
        """Return the sum over a transformer's blocks; sizes beyond the table are taken as its ends."""
        return sum(self.at((dimensions.embedding, *sizes)) for sizes in dimensions.blocks())

    def at(self, block: Block) -> float:
        """Return the metric of one block."""
        if block not in self._known:
            self._known[block] = self._interpolated(block)
        return self._known[block]

    def _interpolated(self, block: Block) -> float:
        values = self.values
        for axis, size in zip(self.axes, block, strict=True):
            place = int(np.clip(np.searchsorted(axis, size, "right") - 1, 0, max(len(axis) - 2, 0)))
            upper = min(place + 1, len(axis) - 1)
            wide = axis[upper] - axis[place]
            along = float(np.clip((size - axis[place]) / wide, 0, 1)) if wide else 0.0
            values = values[place] * (1 - along) + values[upper] * along
        return float(values)


def block_table(model: Model, metric: str, whole: Block, tokens: int) -> BlockTable:
    """Return the table of a hardware model's metric for blocks up to `whole`.

    Raises:
      MissingEntry: for an operator that a latency table does not know: `block_grid` are those that it needs.
    """
    axes = _points(whole)
    values = np.zeros(tuple(map(len, axes)))
    for place, sizes in zip(np.ndindex(values.shape), product(*axes), strict=True):
        if sizes[0]:
            values[place] = model(block_ops(sizes, tokens))[metric]
    return BlockTable(axes, values)


def block_grid(whole: Block, tokens: int) -> tuple[Op, ...]:
    """Return the distinct operators of all blocks of the table: what a profiler shall measure for it."""
    blocks = (block_ops(sizes, tokens) for sizes in product(*_points(whole)) if sizes[0])
    return tuple(dict.fromkeys(op for ops in blocks for op in ops))


def block_ops(block: Sequence[int], tokens: int) -> tuple[Op, ...]:
    """Return the operators of one block."""
    width, heads, qk, v, mlp = block
    normed = elementwise("layer_norm", (tokens, width))
    queries, values = linear(normed.output, heads * qk), linear(normed.output, heads * v)
    attended = attention(queries.output, heads, queries.output, values.output)
    wide, added = linear(normed.output, mlp), elementwise("add", normed.output, 2)
    back = (linear(attended.output, width), added), (linear(wide.output, width), added)
    return (
        normed,
        queries,
        queries,
        values,
        attended,
        *back[0],
        normed,
        wide,
        elementwise("gelu", wide.output),
        *back[1],
    )


def _points(whole: Block) -> list[tuple[int, ...]]:
    shares = [[1, *(max(1, round(size * quarters / 4)) for quarters in range(1, 5))] for size in whole]
    shares[0].append(0)
    return [tuple(sorted(set(points))) for points in shares]
