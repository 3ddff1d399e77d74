"""Adam (Kingma and Ba, ICLR 2015, algorithm 1) on one NumPy array, with a state of plain JSON values."""

from __future__ import annotations

from typing import Any

import numpy as np

FIRST_DECAY, SECOND_DECAY, TINY = 0.9, 0.999, 1e-8


class Adam:
    """Moments of one array's gradient; climbs, since policies are trained towards larger rewards."""

    def __init__(self, shape: tuple[int, ...], learning_rate: float) -> None:
        self._rate = learning_rate
        self._steps = 0
        self._first, self._second = np.zeros(shape), np.zeros(shape)

    def climb(self, parameters: np.ndarray, gradient: np.ndarray) -> None:
        """Move `parameters`, in place, up along `gradient`."""
        self._steps += 1
        self._first += (1 - FIRST_DECAY) * (gradient - self._first)
        self._second += (1 - SECOND_DECAY) * (gradient**2 - self._second)
        first = self._first / (1 - FIRST_DECAY**self._steps)
        second = self._second / (1 - SECOND_DECAY**self._steps)
        parameters += self._rate * first / (np.sqrt(second) + TINY)

    def state(self) -> dict[str, Any]:
        """Return the moments and the number of steps."""
        return {"steps": self._steps, "first": self._first.tolist(), "second": self._second.tolist()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self._steps = state["steps"]
        self._first, self._second = np.array(state["first"]), np.array(state["second"])
