"""Costs of pruned networks between the widths at which a hardware model knows them, with their gradient.

This project's design, for LAPP's constraint in place of multiply-accumulates: each operator's cost is a function of how
many channels it reads and how many it makes, known on a grid of both and interpolated between its points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hardware_models.op import Op
from spaces.pruning.operators import Operators, Size, Template

if TYPE_CHECKING:
    from hardware_models._base import AdditiveModel

SHARES = (0.125, 0.25, 0.5, 0.75, 1.0)
"""How much of each group stays at the points of the grid."""


class InterpolatedCosts:
    """A metric of pruned networks: constant + the sum over operators of what is interpolated, bilinearly.

    What an operator reads and makes are taken as one number each: of several inputs, as a concatenation has, or of
    groups on both sides, all are scaled together. At the points of the grid a convolution costs what the model says.

    Attributes:
      metric: the model's first.
    """

    def __init__(self, operators: Operators, full: Sequence[int], model: AdditiveModel) -> None:
        """Ask an additive model of all operators of `grid`. Raises MissingEntry for one that it does not know."""
        self.metric: str = model.metrics[0]
        cells = [_Cell.of(template, full) for template in operators.templates]
        terms = np.array([[[model.terms(op) for op in row] for row in cell.ops] for cell in cells])
        self._constant = float(model.total(np.zeros((1, terms.shape[-1])))[0, 0])
        self._values = torch.from_numpy(terms[..., 0])
        self._reads = torch.from_numpy(np.stack([cell.reads for cell in cells]))
        self._makes = torch.from_numpy(np.stack([cell.makes for cell in cells]))
        points = _extended(torch.from_numpy(_points(full)))
        self._knots = (self._reads @ points, self._makes @ points)

    def __call__(self, widths: Tensor) -> Tensor:
        """Return the metric, float64 (n,), where groups keep so many units, (n, groups), not only whole numbers."""
        extended, values = _extended(widths.double()), self._values
        row, along = _place(self._knots[0], self._reads @ extended)
        column, across = _place(self._knots[1], self._makes @ extended)
        number = torch.arange(len(values))[:, None]
        near, far = (
            values[number, row + step, column] * (1 - across) + values[number, row + step, column + 1] * across
            for step in (0, 1)
        )
        return self._constant + (near * (1 - along) + far * along).sum(0)

    def numbers(self, widths: np.ndarray) -> np.ndarray:
        """Return the same for an array, as one."""
        found: np.ndarray = self(torch.from_numpy(np.asarray(widths, float))).numpy()
        return found


def grid(operators: Operators, full: Sequence[int]) -> tuple[Op, ...]:
    """Return the distinct operators that must be known for `InterpolatedCosts`: what a profiler shall measure."""
    cells = [_Cell.of(template, full) for template in operators.templates]
    return tuple(dict.fromkeys(op for cell in cells for row in cell.ops for op in row))


@dataclass(frozen=True, slots=True)
class _Cell:
    """One operator on the grid.

    Attributes:
      ops: at each share of what it reads, and of what it makes.
      reads, makes: channels that a unit of each group adds to either, the constant ones last, float64 (groups + 1,).
    """

    ops: list[list[Op]]
    reads: np.ndarray
    makes: np.ndarray

    @classmethod
    def of(cls, template: Template, full: Sequence[int]) -> _Cell:
        last = template.then[-1] if template.then else template
        reads, makes = (
            _row([size for value in template.inputs for size in value], len(full)),
            _row(last.output, len(full)),
        )
        own = np.flatnonzero(makes[:-1])
        points = _points(full)
        ops = []
        for read in points:
            mixed = [np.where(np.isin(np.arange(len(full)), own), made, read) for made in points]
            ops.append([template.op(tuple(widths.astype(int).tolist())) for widths in mixed])
        reads[own] = 0
        return cls(ops, reads, makes)


def _points(full: Sequence[int]) -> np.ndarray:
    """Return the widths at each point of the grid, float64 (points, groups), at least one unit of each."""
    points: np.ndarray = np.maximum(1, np.round(np.outer(SHARES, full)))
    return points


def _row(sizes: Sequence[Size], groups: int) -> np.ndarray:
    row = np.zeros(groups + 1)
    for size in sizes:
        row[-1] += size.constant
        for group, times in size.terms:
            row[group] += times
    return row


def _extended(widths: Tensor) -> Tensor:
    """Return widths (n, groups) as columns, with a 1 below: (groups + 1, n)."""
    return torch.cat([widths, widths.new_ones((len(widths), 1))], 1).T


def _place(knots: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Return between which knots (layers, points) numbers (layers, n) lie, the lower one's place, and how far along."""
    place = (torch.searchsorted(knots, at.detach(), right=True) - 1).clamp(0, knots.shape[1] - 2)
    low, high = knots.gather(1, place), knots.gather(1, place + 1)
    wide = high - low
    return place, torch.where(wide > 0, (at - low) / wide.clamp(min=1e-9), torch.zeros_like(at))
