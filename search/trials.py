"""Trials as records: one to be evaluated, what came of it, and many of them as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NamedTuple

import numpy as np


class TrialState(StrEnum):
    """What has become of a trial."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    INFEASIBLE = "INFEASIBLE"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


UNFINISHED = (TrialState.PENDING, TrialState.RUNNING)
FINISHED = (TrialState.COMPLETED, TrialState.INFEASIBLE, TrialState.STOPPED, TrialState.FAILED)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One genotype that is to be evaluated.

    Attributes:
      number: from 0, in the order of proposal.
      attempt: 1 for the first run, 2 for the first retry, ...
      genotype: a row of numbers, shape (width,).
      seed: differs between trials, equal between attempts.
      known: the metrics that hardware models gave for the genotype.
    """

    number: int
    attempt: int
    genotype: np.ndarray
    seed: int
    known: Mapping[str, float]


class Outcome(NamedTuple):
    """What came of one attempt at a trial; a plain tuple of the same order serves as well.

    Attributes:
      trial: as it was asked.
      metrics: the last value of each metric; may be a part where `state` is not COMPLETED.
      state: COMPLETED unless the attempt ended otherwise.
      reason: why, for any other state.
      elapsed_s: seconds that the evaluation took.
      worker: where it ran.
      log: the end of what it wrote, plain text.
    """

    trial: Trial
    metrics: Mapping[str, float] = {}
    state: TrialState = TrialState.COMPLETED
    reason: str = ""
    elapsed_s: float | None = None
    worker: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TrialTable:
    """Trials as columns of equal length, in order of their numbers.

    Attributes:
      numbers, attempts: int64.
      states: text, the names of `TrialState`.
      genotypes: shape (n, width).
      metrics: final values by name, float64, NaN where a trial has none.
      reasons, workers: text objects, empty where there is nothing to say.
      created_at, started_at, finished_at: seconds since 1970, NaN where it has not happened.
      elapsed_s: seconds the last attempt took, NaN where not known.
    """

    numbers: np.ndarray
    states: np.ndarray
    genotypes: np.ndarray
    metrics: dict[str, np.ndarray]
    attempts: np.ndarray
    reasons: np.ndarray
    workers: np.ndarray
    created_at: np.ndarray
    started_at: np.ndarray
    finished_at: np.ndarray
    elapsed_s: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def select(self, rows: np.ndarray) -> TrialTable:
        """Return the trials that a mask or an index array picks."""
        picked = {field.name: getattr(self, field.name)[rows] for field in fields(self) if field.name != "metrics"}
        return TrialTable(metrics={name: values[rows] for name, values in self.metrics.items()}, **picked)
