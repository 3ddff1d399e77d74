"""Objectives and constraints: metrics with a direction, metrics with a bound, and what they say of many trials."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

DIRECTIONS = {"maximize": "maximize", "max": "maximize", "minimize": "minimize", "min": "minimize"}
RELATIONS = ("<=", ">=", "<", ">")
METRIC_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/:+-]{0,127}")
CONSTRAINT = re.compile(
    r"\s*(?P<metric>[^\s<>=]+)\s*(?P<relation><=|>=|<|>)\s*(?P<bound>[^\s<>=]+)(?:\s+at\s+(?P<when>once|end))?\s*"
)
TINY = float(np.finfo(np.float64).tiny)


def check_metric_name(name: object) -> str:
    """Return `name` if it can name a metric, e.g. `latency_ms@pixel3`; raise ValueError otherwise."""
    if not isinstance(name, str) or not METRIC_NAME.fullmatch(name):
        raise ValueError(
            f"metric name {str(name)[:80]!r} is not usable: expected a letter or _, "
            f"then up to 127 letters, digits or _ . @ / : + -"
        )
    return name


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric to be made as large (`maximize`) or as small (`minimize`) as possible."""

    metric: str
    direction: str

    def __post_init__(self) -> None:
        check_metric_name(self.metric)
        if self.direction not in DIRECTIONS:
            raise ValueError(
                f"direction {self.direction!r} of objective {self.metric!r} is unknown: "
                f"expected 'maximize' or 'minimize'"
            )
        object.__setattr__(self, "direction", DIRECTIONS[self.direction])

    @property
    def sign(self) -> float:
        """1.0 where larger is better, -1.0 where smaller is."""
        return 1.0 if self.direction == "maximize" else -1.0


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on a metric.

    Attributes:
      metric: its name.
      relation: `<=`, `<`, `>=` or `>`.
      bound: finite.
      at_once: whether the first measurement that breaks the bound ends a trial. That is so for upper bounds, which are
        budgets; a lower bound is a floor of quality that training has yet to reach, and is judged on the final value.
    """

    metric: str
    relation: str
    bound: float
    at_once: bool | None = None

    def __post_init__(self) -> None:
        check_metric_name(self.metric)
        if self.relation not in RELATIONS:
            raise ValueError(f"relation {self.relation!r} is unknown: expected one of {', '.join(RELATIONS)}")
        if not math.isfinite(self.bound):
            raise ValueError(f"the bound of {self.metric!r} is {self.bound}: expected a finite number")
        object.__setattr__(self, "bound", float(self.bound))
        if self.at_once is None:
            object.__setattr__(self, "at_once", self.relation[0] == "<")

    def __str__(self) -> str:
        usual = self.at_once == (self.relation[0] == "<")
        when = "" if usual else " at once" if self.at_once else " at end"
        return f"{self.metric} {self.relation} {self.bound!r}{when}"

    def excess(self, values: np.ndarray) -> np.ndarray:
        """Return by how much values (n,) break the bound, relative to it (absolute for a bound of 0).

        0 where the bound holds and where a value is NaN, which is not known; above 0 wherever it is broken.
        """
        beyond = values - self.bound if self.relation[0] == "<" else self.bound - values
        broken = beyond > 0 if len(self.relation) == 2 else beyond >= 0
        excess: np.ndarray = np.where(broken, np.maximum(beyond / (abs(self.bound) or 1.0), TINY), 0.0)
        return excess

    def nearest(self, values: np.ndarray, of: str) -> str:
        """Return in words which of values (n,), n > 0, is nearest to the bound: `the least of 8 trials is 3.5`."""
        word, value = ("least", values.min()) if self.relation[0] == "<" else ("largest", values.max())
        return f"the {word} of {of} is {float(value):.6g}"


def parse_objectives(directions: Mapping[str, str]) -> tuple[Objective, ...]:
    """Return objectives from `{"accuracy": "maximize", "latency_ms": "minimize"}`, in that order.

    Raises ValueError for an empty mapping, a name that cannot be a metric's, and an unknown direction.
    """
    if not isinstance(directions, Mapping) or not directions:
        raise ValueError(f"objectives are {directions!r}: expected at least one, e.g. {{'accuracy': 'maximize'}}")
    return tuple(Objective(metric, direction) for metric, direction in directions.items())


def parse_constraint(text: str) -> Constraint:
    """Return the constraint that a text such as `latency_ms <= 12` or `accuracy >= 70 at end` states."""
    match = CONSTRAINT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"constraint {text!r} is not understood: expected a metric, one of {' '.join(RELATIONS)}, and a number, "
            f"e.g. 'latency_ms <= 12'; ' at once' or ' at end' may follow"
        )
    try:
        bound = float(match["bound"])
    except ValueError:
        raise ValueError(f"constraint {text!r}: {match['bound']!r} is not a number") from None
    return Constraint(
        match["metric"], match["relation"], bound, None if match["when"] is None else match["when"] == "once"
    )


def parse_constraints(texts: Iterable[str]) -> tuple[Constraint, ...]:
    """Return the constraints that the texts state, in that order; none for no texts."""
    if isinstance(texts, str):
        texts = [texts]
    return tuple(parse_constraint(text) for text in texts)


def scores(objectives: Sequence[Objective], metrics: Sequence[Mapping[str, float]]) -> np.ndarray:
    """Return the scores of n trials given their metrics: shape (n, objectives), larger is better, NaN where unknown."""
    ways = [(objective.metric, objective.sign) for objective in objectives]
    found = [[sign * given.get(metric, math.nan) for metric, sign in ways] for given in metrics]
    return np.array(found, np.float64).reshape(len(metrics), len(objectives))


def violations(constraints: Sequence[Constraint], metrics: Sequence[Mapping[str, float]]) -> np.ndarray:
    """Return shape (n,) for n trials: the sum of their relative excesses, 0 where every known bound holds."""
    total = np.zeros(len(metrics))
    for constraint in constraints:
        total += constraint.excess(np.array([given.get(constraint.metric, math.nan) for given in metrics], np.float64))
    return total


def nondominated(points: np.ndarray) -> np.ndarray:
    """Return which of `points` (n, k), larger is better, no other one dominates: shape (n,), bool.

    Equal points are all kept. A row with a NaN is never on the front.
    """
    import moocore

    keep: np.ndarray = np.isfinite(points).all(axis=1)
    if keep.any():
        keep[keep] = moocore.is_nondominated(points[keep], maximise=True, keep_weakly=True)
    return keep


def hypervolume(points: np.ndarray, reference: Sequence[float]) -> float:
    """Return the volume between `points` (n, k), larger is better, and a `reference` point (k,); 0.0 without points.

    Points that do not exceed the reference in every objective, and rows with a NaN, add nothing.
    """
    import moocore

    points = points[np.isfinite(points).all(axis=1)]
    return float(moocore.hypervolume(points, ref=np.asarray(reference), maximise=True)) if len(points) else 0.0
