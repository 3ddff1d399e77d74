"""The neighbourhood of one genotype: every other choice of one decision, and steps up and down of each open float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from spaces.genotype import Column, GenotypeSpace

STEPS = (0.25, 0.05, 0.01)
"""How far a float is moved either way, as parts of its range on its scale."""


def neighbourhood(space: GenotypeSpace, genotype: np.ndarray) -> np.ndarray:
    """Return the neighbours of one genotype, shape (m, width), none twice and without itself, in a fixed order.

    A float's steps end at its bounds; newly activated columns take their first values.
    """
    choices = space.neighbours(genotype)
    in_force = space.active(genotype[None, :])[0]
    moves = [
        (index, value)
        for index, column in enumerate(space.columns)
        if column.kind == "float" and in_force[index]
        for value in _steps(column, float(genotype[index]))
    ]
    if not moves:
        return choices
    moved = np.repeat(genotype[None, :], len(moves), axis=0)
    for row, (index, value) in enumerate(moves):
        moved[row, index] = value
    found = np.concatenate([genotype[None, :], moved, choices])
    others: np.ndarray = found[space.unique(found)[1:]]
    return others


def _steps(column: Column, value: float) -> np.ndarray:
    here = _position(column, value)
    return _value(column, np.array([here + sign * step for step in STEPS for sign in (1, -1)]))


def _position(column: Column, value: float) -> float:
    """Return where a value lies on a float column's scale: 0 at its low bound, 1 at its high one."""
    low, high = float(column.low or 0.0), float(column.high or 0.0)
    if high <= low:
        return 0.0
    if column.scale == "log":
        return float(np.log(value / low) / np.log(high / low))
    if column.scale == "rlog":
        return float(1.0 - np.log((high + low - value) / low) / np.log(high / low))
    return (value - low) / (high - low)


def _value(column: Column, position: np.ndarray) -> np.ndarray:
    """Return the values at positions on a float column's scale, those outside [0, 1] taken to its bounds."""
    low, high = float(column.low or 0.0), float(column.high or 0.0)
    inside = np.clip(position, 0.0, 1.0)
    if column.scale == "log":
        values: np.ndarray = low * np.exp(inside * np.log(high / low))
    elif column.scale == "rlog":
        values = high + low - low * np.exp((1.0 - inside) * np.log(high / low))
    else:
        values = low * (1.0 - inside) + high * inside
    return values.clip(low, high)
