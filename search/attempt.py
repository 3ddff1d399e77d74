"""One attempt at a trial, as its driver keeps it in mind, and as rows to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from struct import pack
from typing import Any

import numpy as np

from search.genotype_text import text_of
from search.trials import Outcome, Trial, TrialState


@dataclass(slots=True)
class Attempt:
    """A trial that is unfinished.

    Attributes:
      trial: as it is, or was last, handed out.
      losses: how often its worker was lost.
      measured: the last value of each metric that was reported.
      verdict: the state and reason that a report has settled, whatever is told.
      state: PENDING while it waits.
      note: what the algorithm wants to be stored with the trial.
    """

    trial: Trial
    losses: int = 0
    measured: dict[str, float] = field(default_factory=dict)
    verdict: tuple[TrialState, str] | None = None
    state: TrialState = TrialState.RUNNING
    note: str = ""

    def started(self) -> Attempt:
        """Return the attempt after this one."""
        old = self.trial
        trial = Trial(old.number, old.attempt + 1, old.genotype, old.seed, old.known)
        return Attempt(trial, self.losses, self.measured)

    @property
    def key(self) -> dict[str, Any]:
        """What an update of the trial's row must find there."""
        return {"of_number": self.trial.number, "of_attempt": self.trial.attempt}

    def start_row(self) -> dict[str, Any]:
        """Return what is written when the attempt after this one starts."""
        return {**self.key, "was": self.state, "attempt": self.trial.attempt + 1}

    def new_row(self) -> dict[str, Any]:
        """Return what is written when the trial is new."""
        trial = self.trial
        row = {"number": trial.number, "seed": trial.seed, "genotype": text_of(trial.genotype)}
        return {**row, "note": self.note or None}

    def waiting_row(self, reason: str) -> dict[str, Any]:
        """Return what is written when the trial is put back."""
        return {**self.key, "losses": self.losses, "reason": reason}

    def finish_row(self, outcome: Outcome, state: TrialState, reason: str, told: int) -> dict[str, Any]:
        """Return what is written when the attempt has ended the trial, as the `told`th to finish."""
        row = {"state": state, "reason": reason, "told": told, "elapsed_s": outcome.elapsed_s, "worker": outcome.worker}
        return {**self.key, **row}


def new_attempt(
    study_seed: int, number: int, genotype: np.ndarray, known: Mapping[str, float], note: str = ""
) -> Attempt:
    """Return the first attempt at a new trial."""
    return Attempt(Trial(number, 1, genotype, trial_seed(study_seed, number), known), note=note)


def trial_seed(seed: int, number: int) -> int:
    """Return the seed of a study's trial, 32 bits: a hash, so that neighbours have nothing in common."""
    return int.from_bytes(blake2b(pack("<qq", seed, number), digest_size=4).digest(), "little")
