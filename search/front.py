"""The Pareto front of a study, kept up to date one result at a time."""

from __future__ import annotations

from collections.abc import Sequence
from operator import ge, le

import numpy as np


class Front:
    """The trials that no other dominates. Equal points all stay: none of them dominates another."""

    def __init__(self, numbers: Sequence[int], scores: np.ndarray) -> None:
        """Take a front as it was stored: trial numbers (m,) and their scores (m, k), larger is better."""
        self._points = list(zip(numbers, scores.tolist(), strict=True))
        self._stored = set(numbers)

    def add(self, number: int, score: list[float]) -> bool:
        """Let a trial join with its `k` scores unless one is better; return whether it did. The dominated leave."""
        for index, (_, point) in enumerate(self._points):
            if point != score and all(map(ge, point, score)):
                self._points.insert(0, self._points.pop(index))  # likely to be better than the next trial, too
                return False
        self._points = [item for item in self._points if item[1] == score or not all(map(le, item[1], score))]
        self._points.append((number, score))
        return True

    def changes(self) -> tuple[list[int], list[int]]:
        """Return the numbers that have joined, and those that have left, since this was last asked."""
        before, self._stored = self._stored, {number for number, _ in self._points}
        return sorted(self._stored - before), sorted(before - self._stored)
