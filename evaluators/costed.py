"""An evaluator's metrics, and before them what the candidate itself knows that it costs: of a compressed network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evaluators._base import Metrics, Task
from hardware_models.architecture import architecture_of
from hardware_models.layer_costs import layer_costs, totals

NAMES = ("held_weights", "weight_bytes", "sparse_macs", "bit_operations")


@dataclass(frozen=True)
class Costed:
    """Yields `NAMES` of the task's candidate, exact and before it is trained, then what the evaluator does.

    A constraint on one of them ends a trial before it costs anything: see `hardware_models.layer_costs`.

    Attributes:
      evaluator: the evaluator, such as `Train("digits")`.
    """

    evaluator: Any

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what it yields."""
        return (*NAMES, *getattr(self.evaluator, "metrics", ()))

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Yield the costs, then the evaluator's metrics.

        Raises:
          TypeError: for a candidate without `layer_costs()`, or `ops()` to take them from.
        """
        yield totals(layer_costs(architecture_of(task.candidate)))
        yield from self.evaluator(task)
