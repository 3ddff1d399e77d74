"""What every evaluator is: a callable that is handed a task and yields metrics, cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from spaces.genotype import GenotypeSpace

Metrics = Mapping[str, float]
"""Finite floats by name, the unit in the name: `accuracy`, `latency_ms`, `params`."""

Evaluator = Callable[["Task"], Iterator[Metrics]]
"""Yields metrics for a task. Each yield is one measurement (step 0, 1, ...); a metric's last value is its final one.
A plain function that returns one mapping serves as well. Raises `Infeasible` for what cannot be built or run."""


@runtime_checkable
class Shares(Protocol):
    """An evaluator that would have all workers hold the same large arrays, and need not load them in each."""

    def shared(self) -> Mapping[str, np.ndarray]:
        """Load and return the arrays, by name; none where there is nothing to share."""

    def with_shared(self, arrays: Mapping[str, np.ndarray]) -> Evaluator:
        """Return this evaluator with those arrays, as they came from another process: read-only, several workers'."""


@runtime_checkable
class ChecksEarly(Protocol):
    """An evaluator or a preparation that can tell early, in the launching process, that it cannot do its work."""

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:
        """Look at the data, say, before anything is measured or trained; `preparations` are all those of the study.

        Raises OSError or ValueError, which says what is wrong and where.
        """


@dataclass(frozen=True, slots=True)
class Member:
    """A process' place among the workers that do one preparation together.

    Attributes:
      rank: 0 for the first, which alone writes to the job's folder.
      size: how many there are.
      address: `host:port`, at which the first waits for the others.
      sharing: how many of them, of consecutive ranks, see the same devices.
    """

    rank: int
    size: int
    address: str
    sharing: int = 1


class Infeasible(Exception):  # noqa: N818 - an outcome, not a fault
    """Raised by an evaluator for a candidate that cannot exist; the message says why."""


@dataclass(frozen=True)
class Task:
    """One trial as its evaluator sees it.

    Attributes:
      space: the compiled space that the genotype belongs to.
      genotype: a row of numbers, shape (width,).
      number: the trial's number in its study; the same for every attempt.
      attempt: 1 for the first run, 2 for the first retry, ...
      seed: differs between trials, equal between attempts; seed every generator with it.
      known: the metrics that hardware models gave for this genotype.
      folder: where the trial may keep checkpoints, the same for every attempt; None when the study keeps none.
      prepared: the folders of the study's preparations, finished, in the order of the study file; only to be read.
    """

    space: GenotypeSpace
    genotype: np.ndarray
    number: int = 0
    attempt: int = 1
    seed: int = 0
    known: Metrics | None = None
    folder: Path | None = None
    prepared: tuple[Path, ...] = ()

    @cached_property
    def candidate(self) -> Any:
        """The decoded symbolic object; built only when it is asked for."""
        return self.space.decode(self.genotype)
