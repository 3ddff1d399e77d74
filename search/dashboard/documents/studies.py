"""Studies: a line of the list, one in full, what a change of one answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from search.dashboard.documents.document import Document, Point

Direction = Literal["maximize", "minimize"]
State = Literal["running", "pausing", "paused", "stopping", "stopped", "done", "interrupted"]


class Session(Document):
    """What a page must know of the server that it talks to."""

    read_only: bool
    csrf_token: str
    """What a request that changes anything must carry as `X-CSRF-Token`."""
    version: str
    storage: str
    """The database's address without its password."""
    token_required: bool


class Objective(Document):
    """A metric, and which way it is better."""

    metric: str
    direction: Direction
    quantity: str
    """The metric's name without its unit."""
    unit: str


class Counts(Document):
    """How many trials are in each state."""

    pending: int
    running: int
    completed: int
    infeasible: int
    stopped: int
    failed: int


class StudyLine(Document):
    """A study in one line of the list. Times are seconds since 1970."""

    name: str
    description: str
    state: State
    reason: str
    """Why it ended; "" while it runs."""
    objectives: list[Objective]
    constraints: list[str]
    counts: Counts
    max_trials: int
    best: dict[str, float | None]
    """Each objective's best value that a trial of the front has."""
    trials_per_minute: float | None
    eta_s: float | None
    """Seconds until the budget is used; null where that cannot be said."""
    devices: list[str]
    created_at: float
    updated_at: float
    driver_host: str | None
    """The host of the driver that has the study, or went without a word; null where none has it."""
    driver_seen_at: float | None
    """When a driver last said that it lives; null where there was none."""
    tags: list[str]
    archived: bool
    change_seq: int
    """Grows with every change of a trial."""


class Studies(Document):
    """All studies, the oldest first."""

    studies: list[StudyLine]


class Metric(Document):
    """A metric that trials have."""

    name: str
    quantity: str
    """Its name without unit and device."""
    unit: str
    device: str | None
    direction: Direction | None
    """Which way it is better; null where nobody said."""
    known: bool
    """Whether it is computed from the choices, without an evaluation."""


class ChoiceDecision(Document):
    """A decision between labelled choices."""

    name: str
    kind: Literal["choice"]
    labels: list[str]
    conditional: bool
    """Whether it hangs on another decision's choice."""


class FloatDecision(Document):
    """A decision on a number within bounds."""

    name: str
    kind: Literal["float"]
    low: float
    high: float
    scale: str | None
    conditional: bool


class UsedTable(BaseModel):
    """A model of a device that the study's latencies are from, with whatever facts were kept of it."""

    model_config = ConfigDict(extra="allow")

    metric: str
    device: str | None
    name: str
    sha256: str


class Study(StudyLine):
    """A study in full."""

    note: str
    algorithm: dict[str, Any]
    """Its name and settings."""
    seed: int
    settings: dict[str, Any]
    metrics: list[Metric]
    decisions: list[ChoiceDecision | FloatDecision]
    front: list[int]
    """The numbers of the trials that no other dominates in the objectives, ascending."""
    knee: int | None
    hypervolume: list[Point]
    """[trials finished, share of the objectives' box that the front dominates]."""
    tables: list[UsedTable]
    recosts: list[dict[str, Any]]
    """Each change of a table under the study, the oldest first."""
    recostable: list[str]
    """The devices that its trials can be costed on."""
    has_program: bool
    why_no_program: str
    launch: str
    """The command that goes on with it; "" where no study file made it."""


class Controlled(Document):
    """How a study stands after its driver was asked for something."""

    name: str
    state: State


class Noted(Document):
    """What people note on a study."""

    name: str
    tags: list[str]
    note: str
    archived: bool


class News(Document):
    """What is new in a study."""

    change_seq: int
    state: State
    counts: Counts
    updated_at: float
    numbers: list[int]
    """The trials that changed after `since`; none where that was not given."""
