"""What a study's settings say of its devices: the version of each one's latency table, and how versions followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hardware_models.at_device import at
from search.study_devices import LATENCY, StudyDevice

if TYPE_CHECKING:
    from search.objectives import Objective

PLAIN, DEVICES, RECOSTS = "latency_table", "devices", "recosts"
"""The settings' keys: the table of plain `latency_ms`; what each named device is costed by; every change of a table."""

Facts = Mapping[str, Any]
"""What is kept of a table: its `sha256`, device, engine, threads, batch, when it was made, ..."""


def tables_used(settings: Mapping[str, Any]) -> dict[str, Facts]:
    """Return the facts of the tables that a study's latencies come from, by the device's name; plain ones under ""."""
    found = {"": settings.get(PLAIN), **_mapping(settings.get(DEVICES))}
    return {name: facts for name, facts in found.items() if isinstance(_mapping(facts).get("sha256"), str)}


def device_of(name: str, facts: Facts) -> StudyDevice:
    """Return the device of a study whose table has these facts: its id, and the engine, threads and batch."""
    said: dict[str, Any] = {field: facts.get(field) for field in ("engine", "threads", "batch")}
    return StudyDevice(name, str(facts.get("device", name)), **said)


def device_names(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the devices that every trial of a study is costed on, plain `latency_ms` left out."""
    return tuple(_mapping(settings.get(DEVICES)))


def devices_with_latency(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return those of a study's devices that trials have a latency on: all but models that give something else."""
    given = {name: _mapping(item).get("metrics") for name, item in _mapping(settings.get(DEVICES)).items()}
    return tuple(name for name, of in given.items() if not isinstance(of, list) or metric_of(name) in of)


def metric_of(name: str) -> str:
    """Return the latency metric of a study's device; of "", the plain one."""
    return at(LATENCY, name) if name else LATENCY


def objectives_on(objectives: Sequence[Objective], name: str) -> tuple[Objective, ...]:
    """Return what a study's front on one device is of: its objectives that are of no other, and the latency there."""
    from search.objectives import Objective

    metric = metric_of(name)
    others = [o for o in objectives if o.metric not in (metric, LATENCY) and o.metric.partition("@")[2] in ("", name)]
    return *others, Objective(metric, "minimize")


def with_tables(settings: Mapping[str, Any], tables: Mapping[str, Facts]) -> dict[str, Any]:
    """Return those settings that say which tables are used, with some of them, by the device's name, replaced."""
    changed: dict[str, Any] = {PLAIN: dict(tables[""])} if "" in tables else {}
    named = {name: dict(facts) for name, facts in tables.items() if name}
    return {**changed, DEVICES: {**_mapping(settings.get(DEVICES)), **named}} if named else changed


def recosts_of(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each change of a table, the oldest first: `device`, `metric`, `at`, and the facts `before` and `after`."""
    found = settings.get(RECOSTS)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
