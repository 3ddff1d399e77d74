"""Metrics of genotypes as they are defined: each is decoded, and its operators are given to the hardware models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hardware_models._base import HardwareModel
from hardware_models.architecture import architecture_of
from hardware_models.op import Op
from spaces.genotype import GenotypeSpace

REMEMBERED = 1_000_000
"""Genotypes whose metrics are kept; beyond that the memory is emptied."""


class OneByOne:
    """What hardware models say of a space's candidates, which must have `ops()`.

    Attributes:
      metrics: how many.
      decoded: how many genotypes were decoded to be remembered.
    """

    def __init__(self, space: GenotypeSpace, models: Sequence[HardwareModel]) -> None:
        self._space, self._models = space, tuple(models)
        self.metrics = sum(len(model.metrics) for model in models)
        self.decoded = 0
        self._memory: dict[bytes, np.ndarray] = {}

    def ops(self, genotype: np.ndarray) -> Sequence[Op]:
        """Return the operators of one genotype, (width,)."""
        ops: Sequence[Op] = architecture_of(self._space.peek(genotype)).ops()
        return ops

    def costs(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the metrics of genotypes (n, width), (n, metrics) in the order of the models; raise what they do."""
        return np.array([self._costs(genotype) for genotype in genotypes]).reshape(-1, self.metrics)

    def new(self, genotypes: np.ndarray) -> int:
        """Return how many distinct genotypes are not remembered."""
        return len(set(self._space.keys(genotypes)).difference(self._memory))

    def remembered(self, genotypes: np.ndarray) -> np.ndarray:
        """Return what `costs` does; each genotype is costed once."""
        keys = self._space.keys(genotypes)
        if len(self._memory) > REMEMBERED:
            self._memory.clear()
        for key, genotype in zip(keys, genotypes, strict=True):
            if key not in self._memory:
                self._memory[key] = self._costs(genotype)
                self.decoded += 1
        return np.array([self._memory[key] for key in keys], np.float64).reshape(len(keys), self.metrics)

    def _costs(self, genotype: np.ndarray) -> np.ndarray:
        ops = self.ops(genotype)
        found = [(model(ops), model.metrics) for model in self._models]
        return np.array([values[name] for values, names in found for name in names], np.float64)
