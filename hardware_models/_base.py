"""What every hardware model is: a function from a network's operators to metrics of its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from hardware_models.op import Op


class MissingEntry(LookupError):  # noqa: N818 - says what is missing
    """Raised by a hardware model for an operator that it does not know; the message names it and says what to do.

    Attributes:
      op: the operator.
    """

    def __init__(self, op: Op, model: str) -> None:
        super().__init__(f"{model} has no entry for {op}; profile the space again, with this operator in it")
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
