"""A study of perceptrons on several devices, whose latency tables are made here, for the tests of both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from evaluators._base import Task
from hardware_models.at_device import AtDevice
from hardware_models.calibration import Calibration
from hardware_models.counts import macs
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op, linear
from search.known_metrics import KnownMetrics
from search.storage import Storage
from search.study import Study
from search.study_file import StudyDefinition
from search.study_tables import with_tables
from search.study_view import StudyView
from tests.hardware_models.tables import ENTRY, PROVENANCE

WIDTHS = (4, 8, 16, 32)

SOURCE = '''"""How wide and how deep, on which device?"""
import pyglove as pg

from hardware_models.op import linear
from search.algorithms.regularized_evolution import RegularizedEvolution


class Perceptron(pg.Object):
    width: int
    depth: int

    def ops(self):
        hidden = [linear((self.width,), self.width)] * self.depth
        return (linear((8,), self.width), *hidden, linear((self.width,), 2))


space = Perceptron(width=pg.oneof([4, 8, 16, 32]), depth=pg.oneof([0, 1, 2, 3, 4, 5]))


def evaluator(task):
    width, depth = task.candidate.width, task.candidate.depth
    return {"accuracy": 50 + 3 * width**0.5 + 2 * depth - 0.05 * width * depth}


devices = ["phone", "board"]
objectives = {"accuracy": "maximize", "latency_ms@phone": "minimize"}
algorithm = RegularizedEvolution(population=6, tournament=3)
max_trials = 14
launcher = "serial"
'''

OPS = tuple(
    dict.fromkeys(op for width in WIDTHS for op in (linear((8,), width), linear((width,), width), linear((width,), 2)))
)

SPEEDS = {"phone": (0.5, 1e-3), "board": (0.1, 2e-2), "watch": (3.0, 3e-2)}
"""Milliseconds an operator and a multiply-accumulate, by device: the first minds depth, the second width."""


def device_table(
    device: str, slower: float = 1.0, ops: tuple[Op, ...] = OPS, calibration: Calibration | None = None, **of: object
) -> LatencyTable:
    """Return a device's table, `slower` times as slow as its first version."""
    call, each = SPEEDS.get(device, (1.0, 1e-3))
    entries = {op: replace(ENTRY, latency_ms=slower * (call + each * macs([op]))) for op in ops}
    origin = replace(PROVENANCE, device=device, device_name=f"The {device}", engine="lite", **of)  # type: ignore[arg-type]
    return LatencyTable(entries, origin, calibration or Calibration())


def store(storage: Storage, table: LatencyTable) -> str:
    """Store a table and return its digest."""
    origin = table.provenance
    number = storage.save_latency_table(
        table.to_json(), device=origin.device, engine=origin.engine, threads=origin.threads, batch=origin.batch,
        provenance=dataclasses.asdict(origin),
    )  # fmt: skip
    return next(stored.sha256 for stored in storage.latency_tables(device=origin.device) if stored.id == number)


def write_study(folder: Path, source: str = SOURCE) -> str:
    """Write the study file to `folder` and return its path."""
    path = folder / "perceptrons.py"
    path.write_text(source)
    return str(path)


def known_of(definition: StudyDefinition, tables: Mapping[str, LatencyTable]) -> KnownMetrics:
    """Return a study's metrics on devices, by their names."""
    models: list[Any] = [AtDevice(table, name) for name, table in tables.items()]
    return KnownMetrics(definition.space, models)


def facts_of(table: LatencyTable) -> dict[str, Any]:
    """Return what a study keeps of a table."""
    origin = table.provenance
    return {"sha256": sha256(table.to_json().encode()).hexdigest(), "device": origin.device, "engine": origin.engine}


def open_study(
    storage: Storage, definition: StudyDefinition, tables: Mapping[str, LatencyTable], name: str = "s"
) -> Study:
    """Return the study, made or resumed, with latencies of these tables."""
    settings = with_tables({}, {device: facts_of(table) for device, table in tables.items()})
    return Study.create_or_resume(
        storage, name, definition.space, definition.algorithm, definition.objectives, definition.constraints,
        max_trials=definition.max_trials, seed=definition.seed, known=known_of(definition, tables), settings=settings,
    )  # fmt: skip


def drive(study: Study, definition: StudyDefinition, batch: int = 1) -> None:
    """Run a study to its end."""
    while trials := study.ask(batch):
        for trial in trials:
            study.tell(trial, definition.evaluator(Task(definition.space, trial.genotype)))  # type: ignore[arg-type]
    study.finish("budget reached")


def run_study(
    storage: Storage, definition: StudyDefinition, tables: Mapping[str, LatencyTable], name: str = "s"
) -> StudyView:
    """Run a study with latencies of these tables to its end."""
    with open_study(storage, definition, tables, name) as study:
        drive(study, definition)
    return Study.open(storage, name)
