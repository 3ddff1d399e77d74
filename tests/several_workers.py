"""A supernet that two workers train, as a launcher would have them do it: what tests need of that, by name."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from small_nested import small_nested

from evaluators._base import Member
from evaluators._preparation import Job, Progress
from evaluators.nested_supernet import NestedSupernet
from evaluators.samplers.performance_aware import PerformanceAware

SAMPLER = PerformanceAware(levels=(1000.0, 2000.0), window=3000.0, capacity=3, widths="seen", depths="idle")
PAIR = NestedSupernet(sampler=SAMPLER, epochs=3, batch=128, workers=2)


@dataclass(frozen=True)
class Training:
    """One worker's part of the training in a folder; the second may be killed after an epoch, or work elsewhere."""

    folder: str
    second: str = ""
    workers: int = 2

    def __call__(self, member: Member | None = None) -> Iterator[Progress]:
        """Train."""
        second = self.second if member is not None and member.rank == 1 else ""
        folder = Path(self.folder, "another") if second == "elsewhere" else Path(self.folder)
        for step in PAIR(Job(small_nested(), folder, member=member)):
            if second == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            yield step
