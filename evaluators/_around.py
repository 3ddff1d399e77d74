"""A distribution around what was learned: the nearest choices are the most probable. It is this project's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def around(choices: Sequence[float], wished: float, scale: float) -> list[float]:
    """Return log-probabilities of choices, which fall by 1 for each `scale` of their distance from what is wished."""
    logs = -np.abs(np.array(choices, float) - wished) / scale
    found: list[float] = (logs - np.logaddexp.reduce(logs)).tolist()
    return found
