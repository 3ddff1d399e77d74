"""What other values of known metrics make of finished trials: their states, why, and the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from search.objectives import Constraint, Objective
from search.pareto import front_of
from search.trials import TrialState, TrialTable
from search.verdict import broken, missing


@dataclass(frozen=True, slots=True)
class Rejudged:
    """Finished trials, judged again.

    Attributes:
      table: the trials with their new metrics, states and reasons.
      changed: shape (n,), bool: those that differ from before in any of these.
      on_front: shape (n,), bool.
    """

    table: TrialTable
    changed: np.ndarray
    on_front: np.ndarray


def rejudge(
    table: TrialTable,
    costs: Mapping[str, np.ndarray],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> Rejudged:
    """Return finished trials with `costs` (n,) by metric's name, judged by them as if they had been known.

    A completed trial that breaks a constraint becomes infeasible; one that was infeasible for its metrics, and whose
    metrics break none any more, completed. What failed, was stopped, or was infeasible in the evaluator's own word
    stays so. Judging by the first values again gives the first states again.
    """
    metrics = {**table.metrics, **costs}
    states, reasons = table.states.copy(), table.reasons.copy()
    for row in _doubtful(states, metrics, constraints):
        before, now = _of(table.metrics, row), _of(metrics, row)
        if states[row] == TrialState.INFEASIBLE and reasons[row] != broken(constraints, before):
            continue
        violation = broken(constraints, now)
        if violation or not missing(objectives, constraints, now):
            states[row] = TrialState.INFEASIBLE if violation else TrialState.COMPLETED
            reasons[row] = violation
    unknown = np.full(len(table), np.nan)
    changed = (states != table.states) | (reasons != table.reasons)
    for name, values in costs.items():
        changed |= values != table.metrics.get(name, unknown)
    judged = replace(table, metrics=metrics, states=states, reasons=reasons)
    return Rejudged(judged, changed, front_of(judged, objectives))


def _doubtful(states: np.ndarray, metrics: Mapping[str, np.ndarray], constraints: Sequence[Constraint]) -> np.ndarray:
    """Return the rows whose state the metrics may change."""
    excess = np.zeros(len(states))
    for constraint in constraints:
        excess += constraint.excess(metrics.get(constraint.metric, np.full(len(states), np.nan)))
    return np.flatnonzero((states == TrialState.INFEASIBLE) | ((states == TrialState.COMPLETED) & (excess > 0)))


def _of(metrics: Mapping[str, np.ndarray], row: int) -> dict[str, float]:
    """Return one trial's metrics."""
    return {name: float(values[row]) for name, values in metrics.items() if np.isfinite(values[row])}
