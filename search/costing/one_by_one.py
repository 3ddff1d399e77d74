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
        """Return the operators of one genotype, (width,). Raises ValueError for a candidate without `ops()`."""
        candidate = architecture_of(self._space.peek(genotype))
        if not hasattr(candidate, "ops"):
            raise ValueError(
                f"known costs need candidates with a method ops(), and {type(candidate).__name__} has none: give its "
                "class one, or drop the hardware models and the metrics that they give"
            )
        ops: Sequence[Op] = candidate.ops()
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
        found = [(model, model(ops)) for model in self._models]
        try:
            return np.array([values[name] for model, values in found for name in model.metrics], np.float64)
        except KeyError:
            model, values = next((model, values) for model, values in found if not set(model.metrics) <= set(values))
            raise ValueError(
                f"hardware model {type(model).__name__} gave {', '.join(values) or 'nothing'}: expected its metrics, "
                f"{', '.join(model.metrics)}"
            ) from None
