"""What many trials say together: fronts, importance, effects, choices, curves, the workers' timeline."""

from __future__ import annotations

from search.dashboard.documents.document import Document, Point
from search.dashboard.documents.studies import Direction
from search.dashboard.documents.trials import State


class Front(Document):
    """The trials that no other dominates in some metrics."""

    metrics: list[str]
    directions: list[Direction]
    numbers: list[int]
    values: list[list[float]]
    """Of each trial, its value of each metric."""
    knee: int | None
    """The trial at the knee."""


class DecisionImportance(Document):
    """How much a decision matters."""

    name: str
    importance: float
    """A share: all decisions together have 1."""
    spread: float
    """The standard deviation between random halves of the trials."""


class Importance(Document):
    """How much each decision matters for being among the best tenth, the most important first."""

    method: str
    metric: str
    sample: int
    """How many trials were looked at."""
    decisions: list[DecisionImportance]
    why: str
    """Why there are none; "" where there are."""


class Effect(Document):
    """A metric by a decision's choices; null where no trial has made one."""

    name: str
    labels: list[str]
    mean: list[float | None]
    deviation: list[float | None]
    count: list[int]


class Effects(Document):
    """A metric by each decision's choices."""

    metric: str
    decisions: list[Effect]


class Shares(Document):
    """How often each choice of a decision was made, in shares."""

    name: str
    labels: list[str]
    front: list[float]
    all: list[float]


class Choices(Document):
    """How often each choice was made: on the front, and in all completed trials."""

    front: int
    all: int
    decisions: list[Shares]


class Timeline(Document):
    """When each of the last trials was worked on, and where, as columns. Times are seconds since 1970."""

    total: int
    now: float
    workers: list[str]
    number: list[int]
    worker: list[int]
    """A place in `workers`."""
    state: list[State]
    begin: list[float]
    end: list[float | None]


class Curve(Document):
    """A trial's [step, value] in order."""

    number: int
    points: list[Point]


class Curves(Document):
    """A metric step by step."""

    metric: str
    metrics: list[str]
    """Those that have any curve."""
    total: int
    """How many trials have one."""
    curves: list[Curve]
