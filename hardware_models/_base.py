"""What every hardware model is: a function from a network's operators, or from its genotype, to metrics of its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from hardware_models.op import Op


class MissingEntry(LookupError):  # noqa: N818 - says what is missing
    """Raised by a hardware model for an operator that it does not know; the message names it and says what to do.

    Attributes:
      op: the operator.
    """

    def __init__(self, op: Op, model: str) -> None:
        way_out = "profile the space again on that device, or import a table that has it"
        super().__init__(f"{model} has no entry for {op}: {way_out}")
        self.op = op
        self.model = model

    def __reduce__(self) -> tuple[type[MissingEntry], tuple[Op, str]]:
        """Return what a process boundary needs: the default would pass the message for the operator."""
        return MissingEntry, (self.op, self.model)


@runtime_checkable
class HardwareModel(Protocol):
    """Costs a network from its operators alone, without building or running it.

    Attributes:
      metrics: the names of what a call returns, the unit in the name.
    """

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what a call returns, always all of them."""

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return the metrics of a network that runs `ops`; an operator that stands twice is counted twice.

        Raises:
          MissingEntry: for an operator that the model does not know.
        """


@runtime_checkable
class AdditiveModel(HardwareModel, Protocol):
    """A hardware model whose metrics follow from sums over the operators, whatever their order.

    For any operators `ops`, `total(sum(terms(op) for op in ops)[None])[0]` is what a call with `ops` returns, in the
    order of `metrics`, but for rounding. Known metrics are then compiled for a space: see `search.known_metrics`.
    """

    def terms(self, op: Op) -> np.ndarray:
        """Return what one operator adds: float64 of shape (t,), the same t for every operator.

        Raises:
          MissingEntry: for an operator that the model does not know.
        """

    def total(self, sums: np.ndarray) -> np.ndarray:
        """Return metrics, float64 (n, len(metrics)), of n networks whose terms add up to `sums`, float64 (n, t).

        Each row depends on the same row of `sums` alone. It may be `sums` itself, which must not be changed.
        """


@runtime_checkable
class GenotypeModel(Protocol):
    """A hardware model that was learnt on the genotypes of one space, and needs no operators.

    Attributes:
      metrics: the names of what `costs` returns, the unit in the name.
    """

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what `costs` returns, in the order of its columns."""

    def costs(self, genotypes: np.ndarray) -> np.ndarray:
        """Return the metrics of canonical genotypes (n, width) of its space: float64 of shape (n, len(metrics)).

        Each row depends on the same row of `genotypes` alone.
        """
