"""Devices: a line of the list, one in full, two compared; and preparations."""

from __future__ import annotations

from typing import Any, Literal

from hardware_models.calibration import Calibration
from hardware_models.comparison import Disagreement
from hardware_models.held_out import HeldOut
from hardware_models.validation import ValidationReport
from search.dashboard.documents.document import Cell, Document, Point


class DeviceModel(Document):
    """One version of a device's model."""

    name: str
    title: str
    sha256: str
    stored_at: float | None
    """Seconds since 1970; null for one that comes with the project."""
    current: bool
    """Whether no newer one of the device is stored."""
    of: str
    """`operators`, or the space whose networks it costs; "" of a damaged one."""
    source: str
    """`profiled`, `imported`, `learned`, `listed`, `onboarded`, `shipped` or `damaged`."""
    problem: str
    """Why it cannot be read."""
    engine: str
    batch: int | None
    threads: int | None
    date: str | None
    validation: ValidationReport | HeldOut | None
    """Its errors on networks that it was not made from."""
    warning: str | None


class DeviceLine(DeviceModel):
    """One version of a device's model in a line."""

    entries: int
    """How many it has."""


class Devices(Document):
    """Every version of every device's model, stored or shipped; `order` is that of the devices' colours."""

    devices: list[DeviceLine]
    order: list[str]


class Entry(Document):
    """What an operator, choice or network costs."""

    operator: str
    kind: str
    ms: float


class Version(Document):
    """A version of a device's model."""

    sha256: str
    stored_at: float | None


class Device(DeviceModel):
    """A device's model in full."""

    provenance: dict[str, Any]
    calibration: Calibration | None
    entries_of: Literal["operators", "choices", "networks", ""]
    entries: list[Entry]
    versions: list[Version]
    scatter: list[list[Cell]]
    """[predicted ms, measured ms, study, trial] of networks that studies have measured."""


class DeviceComparison(Document):
    """How the latencies of model `b` stand to those of `a`, on what both have."""

    a: DeviceLine
    b: DeviceLine
    of: str
    """`operators` or `networks`."""
    common: int
    only_first: int
    only_second: int
    median: float
    geometric_mean: float
    tenth: float
    ninetieth: float
    least: float
    most: float
    kendall_tau: float | None
    spearman: float | None
    largest: list[Disagreement]
    ratio: list[float]
    """Least, tenth, median, ninetieth and most of the ratios b / a."""
    pairs: list[list[Cell]]
    """[ms of a, ms of b, which]."""


class PreparationLine(Document):
    """A job whose result many trials share. Times are seconds since 1970."""

    key: str
    kind: str
    state: Literal["RUNNING", "COMPLETED", "FAILED"]
    progress: float
    """From 0 to 1."""
    sha256: str
    created_at: float
    updated_at: float
    reason: str
    settings: dict[str, Any]
    studies: list[str]


class Preparations(Document):
    """Every preparation, the newest first."""

    preparations: list[PreparationLine]


class Preparation(PreparationLine):
    """A preparation, and what it measured."""

    curves: dict[str, list[Point]]
    """Of each metric its [step, value]."""
