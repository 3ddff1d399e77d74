"""Random search (Bergstra and Bengio, JMLR 2012): without repeats, each decision uniform over its choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from search.algorithms._base import Algorithm
from search.algorithms._supports import Supports


@dataclass
class Random(Algorithm):
    """Draws every decision uniformly, floats uniformly on their scale."""

    name: ClassVar[str] = "random"
    source: ClassVar[str] = "Bergstra and Bengio, JMLR 2012"
    supports: ClassVar[Supports] = Supports(constraints="known")

    def _draw(self, count: int) -> np.ndarray:
        return self._space.sample(count, self._random)
