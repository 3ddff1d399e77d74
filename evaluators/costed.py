"""An evaluator's metrics, and before them what the candidate itself knows that it costs: of a compressed network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators._base import ChecksEarly, Metrics, Shares, Task
from hardware_models.architecture import architecture_of
from hardware_models.layer_costs import layer_costs, totals
from spaces.genotype import GenotypeSpace

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

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:
        """Have the evaluator look, where it can."""
        if isinstance(self.evaluator, ChecksEarly):
            self.evaluator.check_early(space, preparations)

    def shared(self) -> Mapping[str, np.ndarray]:
        """Return what the evaluator would share between workers; nothing where it does not know how to."""
        return self.evaluator.shared() if isinstance(self.evaluator, Shares) else {}

    def with_shared(self, arrays: Mapping[str, np.ndarray]) -> Costed:
        """Return the same around an evaluator that was given `arrays`."""
        return Costed(self.evaluator.with_shared(arrays)) if isinstance(self.evaluator, Shares) else self
