"""A supernet that two workers train, as a launcher would have them do it: what tests need of that, by name."""

from __future__ import annotations

import os
import signal
import time
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
    """One worker's part of the training in a folder; with `fault` the second does not get beyond its first epoch."""

    folder: str
    fault: str = ""
    workers: int = 2

    def __call__(self, member: Member | None = None) -> Iterator[Progress]:
        """Train."""
        steps = PAIR(Job(small_nested(), Path(self.folder), member=member))
        for step in steps:
            if member is not None and member.rank == 1 and self.fault == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if member is not None and member.rank == 1 and self.fault:
                steps.close()  # type: ignore[attr-defined]
                raise FileNotFoundError(f"no {self.fault}")
            if self.fault == "slow":
                time.sleep(0.5)
            yield step
