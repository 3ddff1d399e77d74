"""What trials say of each decision: a metric's mean by choice, and how often the front takes each choice."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from search.dashboard.named_columns import front_numbers
from search.dashboard.store import Opened
from search.dashboard.study_columns import COMPLETED
from search.decisions import Decision

BINS = 8
"""Into how many equal intervals a float is cut."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """A decision's values as groups.

    Attributes:
      labels: the choices, or intervals of a float.
      codes: (n,) each trial's group.
      active: (n,), bool: whether the decision is in force.
    """

    labels: tuple[str, ...]
    codes: np.ndarray
    active: np.ndarray

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """Return how many of some trials, those in force, are in each group."""
        return np.bincount(self.codes[rows][self.active[rows]], minlength=len(self.labels))


def groupings(study: Opened) -> list[Grouping]:
    """Return every decision's grouping of all trials."""

    def compute() -> list[Grouping]:
        genotypes, active = study.columns.genotypes(study.sequence), study.columns.active(study.sequence)
        described = study.view.space["columns"]
        return [
            _grouping(decision, described[index], genotypes[:, index], active[:, index])
            for index, decision in enumerate(study.columns.decisions)
        ]

    return study.columns.known.get("groupings", study.sequence, compute)


def effects(study: Opened, values: np.ndarray) -> list[dict[str, Any]]:
    """Return each decision's mean, standard deviation and count of a metric (n,), by choice, of completed trials."""
    completed = study.columns.states(study.sequence) == COMPLETED
    rows = np.flatnonzero(completed & np.isfinite(values))
    return [_effect(study, index, group, values, rows) for index, group in enumerate(groupings(study))]


def choices(study: Opened) -> dict[str, Any]:
    """Return the shares of each decision's choices among the front's trials, and among all that completed."""
    completed = np.flatnonzero(study.columns.states(study.sequence) == COMPLETED)
    front = front_numbers(study)
    named = zip(study.columns.decisions, groupings(study), strict=True)
    return {
        "front": len(front),
        "all": len(completed),
        "decisions": [
            {"name": decision.name, "labels": group.labels, "front": _shares(group.counts(front)),
             "all": _shares(group.counts(completed))}
            for decision, group in named
        ],
    }  # fmt: skip


def _grouping(decision: Decision, described: dict[str, Any], values: np.ndarray, active: np.ndarray) -> Grouping:
    if decision.choices:
        codes = np.clip(values.astype(np.int64), 0, len(decision.choices) - 1)
        return Grouping(decision.choices, codes, active)
    edges = np.linspace(float(described["low"]), float(described["high"]), BINS + 1)
    codes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
    return Grouping(tuple(f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges)), codes, active)


def _effect(study: Opened, index: int, group: Grouping, values: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    rows = rows[group.active[rows]]
    codes, found = group.codes[rows], values[rows]
    count = np.bincount(codes, minlength=len(group.labels))
    some = np.maximum(count, 1)
    mean = np.bincount(codes, found, len(group.labels)) / some
    spread = np.sqrt(np.bincount(codes, (found - mean[codes]) ** 2, len(group.labels)) / some)
    known = count > 0
    return {
        "name": study.columns.decisions[index].name,
        "labels": group.labels,
        "mean": np.where(known, mean, np.nan).tolist(),
        "deviation": np.where(known, spread, np.nan).tolist(),
        "count": count.tolist(),
    }


def _shares(counts: np.ndarray) -> list[float]:
    found: list[float] = (counts / max(int(counts.sum()), 1)).tolist()
    return found
