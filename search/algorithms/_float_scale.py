"""Where a value lies on a float column's own scale, and back: 0 at its low bound, 1 at its high one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from spaces.genotype import Column


def place_of(column: Column, values: np.ndarray) -> np.ndarray:
    """Return the places of values within the column's bounds, in [0, 1]; 0 for all where the bounds are equal."""
    low, high = column.low, column.high
    if high <= low:
        places = np.zeros(len(values))
    elif column.scale == "log":
        places = np.log(values / low) / np.log(high / low)
    elif column.scale == "rlog":
        places = 1.0 - np.log((high + low - values) / low) / np.log(high / low)
    else:
        places = (values - low) / (high - low)
    return places


def value_at(column: Column, places: np.ndarray) -> np.ndarray:
    """Return the values at places, those outside [0, 1] taken to the bounds."""
    low, high, inside = column.low, column.high, np.clip(places, 0.0, 1.0)
    if column.scale == "log":
        values = low * (high / low) ** inside
    elif column.scale == "rlog":
        values = high + low - low * (high / low) ** (1.0 - inside)
    else:
        values = low + (high - low) * inside
    found: np.ndarray = np.clip(values, low, high)
    return found
