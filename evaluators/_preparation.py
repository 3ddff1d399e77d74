"""What every preparation is: a job whose result many trials share; it checkpoints, resumes, and reports as it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from evaluators._base import Member, Metrics
from spaces.genotype import GenotypeSpace

Distribution = tuple[np.ndarray, ...]
"""Log-probabilities of each column's choices: one float64 array (choices,) a column."""


@dataclass(frozen=True, slots=True)
class Costs:
    """A known metric of an additive space as arrays: constant + the sum over columns of terms[column][choice].

    Attributes:
      metric: its name with its unit and, where there are several, its device: `latency_ms@raspi4`.
      constant: what no decision changes (stem, head).
      terms: one float64 array (choices,) a column; the smallest of a column may be anything, e.g. 0 for a skip.
    """

    metric: str
    constant: float
    terms: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a preparation, as it sees it.

    Attributes:
      space: the compiled space.
      folder: its own, the same for every attempt: where it checkpoints and leaves its result.
      costs: of the metric that the preparation asked for in `cost`; None where it asked for none.
      seed: of every random number.
      member: which of several workers this is, where the preparation has `workers`; None for the only one.
    """

    space: GenotypeSpace
    folder: Path
    costs: Costs | None = None
    seed: int = 0
    member: Member | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a preparation is: its share done, from 0 to 1, and what it measures of itself there.

    A later attempt yields the kept steps again before it goes on, so that a step's metrics are stored once.
    """

    share: float
    metrics: Metrics


class Preparation(Protocol):
    """A frozen dataclass whose fields are its settings: equal ones on an equal job share a result.

    With an attribute `workers` above 1 it is called in so many processes at once; the steps of the first count.
    """

    @property
    def kind(self) -> str:
        """What it makes, in a word or two: `fbnet dnas`, `once-for-all supernet`."""

    @property
    def cost(self) -> str | None:
        """The known metric whose additive terms it needs, e.g. `latency_ms@raspi4`; None for none."""

    def __call__(self, job: Job) -> Iterator[Progress]:
        """Do the job, yielding after each step that is checkpointed; killed, a later call goes on there."""

    def distributions(self, folder: Path) -> Mapping[str, Distribution]:
        """Return the distributions that a finished job learned, by task (`""` where there is but one)."""
