"""What metrics make of a trial: completed, infeasible by a constraint, or failed by a value that is no number."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from search.objectives import Constraint, Objective, check_metric_name
from search.trials import TrialState


def numbers_of(metrics: Any) -> tuple[dict[str, float], str]:
    """Return those metrics that are finite numbers as floats, and what is wrong with the first other one, or "".

    Accepts Python's and NumPy's integers and floats; not booleans, text, complex numbers or arrays.
    """
    if not isinstance(metrics, Mapping):
        return {}, f"the evaluator gave {_shown(metrics)}: expected a mapping of metric names to numbers"
    found: dict[str, float] = {}
    wrong = ""
    for name, value in metrics.items():
        problem = _problem(name, value)
        if problem:
            wrong = wrong or problem
        else:
            found[name] = float(value)
    return found, wrong


@lru_cache(1024)
def _name_problem(name: Any) -> str:
    try:
        check_metric_name(name)
    except ValueError as error:
        return str(error)
    return ""


def _problem(name: Any, value: Any) -> str:
    unusable = _name_problem(name)
    if unusable or (type(value) is float and math.isfinite(value)):
        return unusable
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        return f"metric {name!r} is {_shown(value)}: expected a number"
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    return "" if finite else f"metric {name!r} is {_shown(value)}: expected a finite number"


def missing(objectives: Sequence[Objective], constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> str:
    """Return what a completed trial lacks, or ""."""
    for kind, items in (("objective", objectives), ("constraint", constraints)):
        for item in items:
            if item.metric not in metrics:
                given = ", ".join(sorted(metrics)) or "nothing"
                return f"{kind} {item.metric!r} is missing: the evaluator and the hardware models gave {given}"
    return ""


def broken(constraints: Sequence[Constraint], metrics: Mapping[str, float], *, at_once: bool = False) -> str:
    """Return the first constraint that the metrics break, in words, or ""; `at_once`: only those that end a trial."""
    for constraint in constraints:
        value = metrics.get(constraint.metric)
        if value is not None and (constraint.at_once or not at_once) and constraint.excess(np.array([value]))[0] > 0:
            return f"{constraint.metric} is {value:.6g}: expected {constraint}"
    return ""


def judge(
    objectives: Sequence[Objective], constraints: Sequence[Constraint], metrics: Mapping[str, float]
) -> tuple[TrialState, str]:
    """Return the state of a trial that ran to its end with these finite metrics, and the reason if not COMPLETED."""
    lack = missing(objectives, constraints, metrics)
    if lack:
        return TrialState.FAILED, lack
    violation = broken(constraints, metrics)
    return (TrialState.INFEASIBLE, violation) if violation else (TrialState.COMPLETED, "")


def _shown(value: Any) -> str:
    if isinstance(value, numbers.Number | np.bool_ | None):
        text = type(value).__name__ if isinstance(value, int) and abs(value) > 1 << 64 else str(value)
    else:
        text = f"a {type(value).__name__}"
    return text[:80]
