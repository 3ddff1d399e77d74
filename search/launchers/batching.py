"""How many candidates a worker is given at once: few when they are slow, many when they are cheap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.launchers.worker import Evaluation

STREAMED_S = 0.2
"""Candidates that take longer are evaluated one by one, each measurement sent as it is made."""

STALE_SHARE = 0.05
"""How much of what is finished may be under way at once: an algorithm that learns must not propose too far ahead."""

QUEUED = 2
"""Calls a worker is given: one to run and one to go on with."""


@dataclass
class Batching:
    """Finds the batch size from the time that candidates take.

    Attributes:
      target_s: how long a batch should take.
      largest: the most candidates in a batch.
      seconds: a running mean of the time a candidate takes; None before the first.
    """

    target_s: float = 0.1
    largest: int = 256
    seconds: float | None = None

    def learn(self, evaluations: Sequence[Evaluation]) -> None:
        """Take in how long evaluations took."""
        if evaluations:
            mean = sum(evaluation.elapsed_s for evaluation in evaluations) / len(evaluations)
            self.seconds = mean if self.seconds is None else 0.7 * self.seconds + 0.3 * mean

    @property
    def streamed(self) -> bool:
        """Whether candidates are slow, or not known to be cheap: to be evaluated one by one."""
        return self.seconds is None or self.seconds > STREAMED_S

    def room(self, workers: int, finished: int) -> int:
        """Return how many trials may be under way at once."""
        return max(workers * (1 if self.streamed else QUEUED), int(finished * STALE_SHARE))

    def size(self, workers: int, finished: int) -> int:
        """Return the number of candidates for the next batch."""
        if self.streamed or self.seconds is None:
            return 1
        in_time = int(self.target_s / max(self.seconds, 1e-9))
        fair = self.room(workers, finished) // (workers * QUEUED)
        return max(1, min(in_time, fair, self.largest))
