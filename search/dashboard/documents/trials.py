"""Trials: the table, one in full with its network, columns of all of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from search.dashboard.documents.document import Cell, Document

State = Literal["PENDING", "RUNNING", "COMPLETED", "INFEASIBLE", "STOPPED", "FAILED"]


class TrialPage(Document):
    """A page of the table of trials."""

    total: int
    """How many trials there are on all pages."""
    first: int
    """How many stand before this page."""
    columns: list[str]
    rows: list[dict[str, Cell]]
    """Each trial's values by column, `number` and `state` always among them."""
    next: str | None
    """`after` of the page that follows; null on the last."""


class Columns(Document):
    """Values of many trials at once."""

    columns: dict[str, list[Cell]]
    rows: int
    change_seq: int
    """The state of the study that they are of: the next request's `since`."""


class Decision(Document):
    """What a trial has chosen."""

    name: str
    label: str
    value: float
    choices: int
    """How many there are; 0: an open float."""
    active: bool
    """Whether the choice that it hangs on was made."""
    parent: int
    """The decision that it hangs on, by its place; -1 for none."""


class Step(Document):
    """What a trial measured at a step."""

    step: int
    at: float
    metrics: dict[str, float]


class Layer(Document):
    """An operator of a network. Counts and latencies are those of one; it comes `repeats` times."""

    label: str
    kind: str
    inputs: list[list[int]] = Field(alias="in")
    out: list[int]
    kernel: int | None
    stride: int
    groups: int
    expansion: float | None
    residual: bool
    skipped: bool
    inside: list[str]
    """The kinds of the operators that it is made of."""
    macs: int | None
    params: int | None
    latency: dict[str, float | None]
    """What it adds to each latency in ms; null where the table does not hold it."""
    stage: int
    group: int
    """Layers of one group come again together."""
    repeats: int


class Network(Document):
    """A network as it is drawn."""

    input: list[int]
    layers: list[Layer]
    latency: dict[str, float | None]
    """Of the whole, in ms."""
    offset: dict[str, float]
    """What is added once, in ms."""


class Trial(Document):
    """A trial in full. Times are seconds since 1970."""

    number: int
    state: State
    attempt: int
    reason: str
    worker: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    elapsed_s: float | None
    losses: int
    """How often its worker was lost."""
    seed: int
    metrics: dict[str, float]
    on_front: bool
    decisions: list[Decision]
    genotype: list[float]
    parent: int | None
    """The trial that it was bred from, where the algorithm says so."""
    curve: list[Step]
    log: str
    """The end of what its evaluation wrote to standard output and standard error: plain text."""
    links: dict[str, str]
    metadata: dict[str, Any]
    network: Network | None
    why_no_network: str
