"""A device's model as plain values: what it was measured with, its entries, how far it is off."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from hardware_models.documents import DeviceModel
from hardware_models.imported_table import IMPORTED_FROM
from hardware_models.latency_table import LatencyTable
from hardware_models.learned_table import LearnedTable
from hardware_models.listed_table import ListedTable
from search.dashboard.device_models import Device
from search.decisions import labels_of

LISTED = 500
"""How many networks of a listed table are shown, evenly spread from the fastest to the slowest."""


def line(device: Device, *, current: bool) -> dict[str, Any]:
    """Return a device's model in one line; `current` where no newer one of the device is stored."""
    head = {"name": device.name, "sha256": device.sha256, "stored_at": device.stored_at, "current": current,
            "problem": device.problem}  # fmt: skip
    if device.model is None:
        return head | {"source": "damaged", "entries": 0, "of": "", "title": "", "engine": "", "batch": None,
                       "threads": None, "date": None, "validation": None, "warning": None}  # fmt: skip
    made = _of_operators(device.model) if isinstance(device.model, LatencyTable) else _of_networks(device.model)
    return head | made | ({"source": "shipped"} if device.stored_at is None else {})


def in_full(device: Device) -> dict[str, Any]:
    """Return provenance, calibration and entries: an operator, choice or network, and its ms."""
    model = device.model
    if model is None:
        return {"provenance": {}, "entries_of": "", "entries": [], "calibration": None}
    origin: Any = model.provenance if isinstance(model, LatencyTable) else model.origin
    fit = dataclasses.asdict(model.calibration) if isinstance(model, LatencyTable) else None
    kind, entries = entries_of(model)
    return {"provenance": dataclasses.asdict(origin), "entries_of": kind, "entries": entries, "calibration": fit}


def entries_of(model: DeviceModel) -> tuple[str, list[dict[str, Any]]]:
    """Return what a model's entries are of, and the entries."""
    if isinstance(model, LatencyTable):
        costly = sorted(model.entries.items(), key=lambda item: -item[1].latency_ms)
        return "operators", [{"operator": str(op), "kind": op.kind, "ms": found.latency_ms} for op, found in costly]
    if isinstance(model, LearnedTable):
        return "choices", [
            {"operator": f"{decision} = {label}", "kind": decision, "ms": effect}
            for decision, labels, effects in zip(
                model.space.decisions, map(labels_of, model.space.choices), model.effects_ms, strict=True
            )
            for label, effect in zip(labels, effects, strict=True)
        ]
    return "networks", _networks(model)


def _networks(model: ListedTable) -> list[dict[str, Any]]:
    order, grid = np.argsort(-model.latencies_ms, kind="stable"), model.space.grid()
    shown = order[np.unique(np.linspace(0, len(order) - 1, min(LISTED, len(order))).astype(int))]
    return [
        {"operator": model.space.code(grid[rank]), "kind": "network", "ms": float(model.latencies_ms[rank])}
        for rank in shown
    ]


def _of_operators(table: LatencyTable) -> dict[str, Any]:
    origin = table.provenance
    check = table.validation or table.calibration.validation
    return {
        "of": "operators",
        "source": "imported" if origin.software.get(IMPORTED_FROM) else "profiled",
        "title": origin.device_name,
        "engine": origin.engine,
        "batch": origin.batch,
        "threads": origin.threads,
        "date": origin.created_at,
        "entries": len(table.entries),
        "validation": check and dataclasses.asdict(check),
        "warning": table.warning(),
    }


def _of_networks(table: LearnedTable | ListedTable) -> dict[str, Any]:
    origin = table.origin
    return {
        "of": table.space.name,
        "source": origin.method,
        "title": origin.source,
        "engine": origin.engine,
        "batch": origin.batch,
        "threads": None,
        "date": origin.created_at,
        "entries": table.entries,
        "validation": table.validation and dataclasses.asdict(table.validation),
        "warning": None,
    }
