"""A study of perceptrons on several devices, whose latency tables are made here, for the tests of both."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

from hardware_models.calibration import Calibration
from hardware_models.counts import macs
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op, linear
from search.storage import Storage
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
