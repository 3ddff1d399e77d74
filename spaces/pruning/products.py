"""Multiply-accumulates of pruned networks as sums of products of widths, and the widths that meet a budget of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from hardware_models.counts import count
from spaces.pruning.operators import Operators, Size, Template


@dataclass(frozen=True, slots=True)
class Products:
    """The multiply-accumulates where groups keep k units: the sum of factors x (inputs (k, 1)) x (outputs (k, 1)).

    Attributes:
      factors: of each layer, float64 (layers,): a kernel's area x the positions / the convolution's groups.
      inputs, outputs: what a layer reads and makes: channels a unit of each group, and in the last column the channels
        that stay, float64 (layers, groups + 1).
    """

    factors: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray

    def __call__(self, widths: np.ndarray) -> np.ndarray:
        """Return the multiply-accumulates for widths (..., groups), which need not be whole numbers."""
        ones = np.ones((*widths.shape[:-1], 1))
        extended = np.concatenate([widths, ones], -1)
        products: np.ndarray = (extended @ self.inputs.T) * (extended @ self.outputs.T) @ self.factors
        return products


def products(operators: Operators, widths: tuple[int, ...]) -> Products:
    """Return the products of a network whose groups are so wide when nothing is pruned."""
    rows = []
    for template in operators.templates:
        rows += [_row(part, widths) for part in (template, *template.then)]
    kept = [row for row in rows if row[0]]
    factors, inputs, outputs = zip(*kept, strict=True)
    return Products(
        np.array(factors), *(np.stack([_linear(s, len(widths)) for s in each]) for each in (inputs, outputs))
    )


def _row(template: Template, widths: tuple[int, ...]) -> tuple[float, Size, Size]:
    """Return factor, inputs and outputs of one operator; 0 where it multiplies nothing."""
    op, one = template.op_alone(widths), Size(1)
    macs = count(op).macs
    if op.kind in ("attention", "matmul") and macs:
        heads = template.output[-1 if op.kind == "attention" else 0]  # all other sizes of them are constant
        return macs / heads.at(widths), one, heads
    if not macs or op.kind not in ("conv2d", "linear"):
        return float(macs), one, one
    axis = 0 if op.kind == "conv2d" else -1
    inputs = one if template.depthwise else template.inputs[0][axis]
    outputs = template.output[axis]
    return macs / prod(size.at(widths) for size in (inputs, outputs)), inputs, outputs


def _linear(size: Size, groups: int) -> np.ndarray:
    row = np.zeros(groups + 1)
    row[-1] = size.constant
    for group, times in size.terms:
        row[group] += times
    return row
