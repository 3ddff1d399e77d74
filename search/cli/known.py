"""What is known of a study's candidates before an evaluation: latencies on its devices, and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from search.cli.latency import Say, TableFinder, setup_of
from search.cli.tables import Table, keep
from search.study_devices import LATENCY, StudyDevice, devices_named
from search.study_tables import device_of

if TYPE_CHECKING:
    from search.known_metrics import KnownMetrics
    from search.storage import Storage
    from search.study_file import StudyDefinition

COUNTS = ("macs", "params")


@dataclass(frozen=True, slots=True)
class Known:
    """The compiled hardware models of a study.

    Attributes:
      metrics: None where there are none.
      tables: the latency tables among them by the device's name in the study; that of plain `latency_ms` under "".
      models: what else the study's devices are costed by, by the device's name: its class and its metrics.
    """

    metrics: KnownMetrics | None = None
    tables: Mapping[str, Table] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Mapping[str, Any]]:
        """What a study keeps of each device's table or model, by the device's name."""
        return {**{name: table.facts for name, table in self.tables.items()}, **self.models}


def known_metrics(
    storage: Storage, definition: StudyDefinition, used: Mapping[str, Mapping[str, Any]], say: Say
) -> Known:
    """Return the models of all the study's devices, and for those metrics that it names and no evaluator yields.

    `used` holds the facts of the latency tables that the study has used so far, by the device's name: they are used
    on, so that trials stay comparable. Raises ValueError for a metric that no trial can have, for a device without a
    table, for one whose tables are of other spaces, and for candidates without `ops()`.
    """
    from hardware_models.at_device import AtDevice
    from hardware_models.counts import Counts
    from search.known_metrics import KnownMetrics

    _check_named(definition)
    finder = TableFinder(storage, definition.space, setup_of(definition), used, say)
    own = {device.name: device.model for device in definition.devices if device.model is not None}
    tables = {device.name: finder.find(device) for device in table_devices(definition, used)}
    tables |= {name: finder.used(name) or keep(storage, at.model) for name, at in own.items() if _holds_table(at)}
    models: list[Any] = [*definition.hardware_models, *(own[name] for name in own if name not in tables)]
    models += [AtDevice(table.model, name) for name, table in tables.items()]
    missing = set(definition.named) - definition.given - {metric for model in models for metric in model.metrics}
    if LATENCY in missing:
        tables[""] = finder.find(StudyDevice("", definition.device))
        models.append(tables[""].model)
    if missing.intersection(COUNTS):
        models.append(Counts())
    others = {
        name: {"model": type(getattr(at, "model", at)).__name__, "metrics": list(at.metrics)}
        for name, at in own.items()
        if name not in tables
    }
    return Known(KnownMetrics(definition.space, models) if models else None, tables, others)


def _check_named(definition: StudyDefinition) -> None:
    """Refuse an objective or a constraint of a metric that no trial can have, where the evaluator says all it gives."""
    if not _says_all(definition.evaluator):
        return
    there = sorted({*definition.given, *COUNTS, LATENCY})
    aims, bounds = (item.metric for item in definition.objectives), (item.metric for item in definition.constraints)
    for metric in (*aims, *bounds):
        if metric not in there and metric.partition("@")[0] != LATENCY:
            near = get_close_matches(metric, there, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"no trial can have the metric {metric!r}: {meant}there are {', '.join(there)}")


def _says_all(evaluator: Any) -> bool:
    """Return whether an evaluator says which metrics it gives, and the one that it wraps, if any, too."""
    inner = getattr(evaluator, "evaluator", None)
    return bool(getattr(evaluator, "metrics", ())) and (inner is None or _says_all(inner))


def table_devices(definition: StudyDefinition, used: Mapping[str, Mapping[str, Any]]) -> list[StudyDevice]:
    """Return the devices whose tables a study needs: listed, costed by it so far, or named by its metrics."""
    devices = {device.name: device for device in definition.devices}
    for name, facts in used.items():
        if name:
            devices.setdefault(name, device_of(name, facts))
    for name in devices_named(definition.named, definition.given):
        devices.setdefault(name, StudyDevice(name, name))
    return [device for device in devices.values() if device.model is None]


def _holds_table(model: Any) -> bool:
    """Return whether a device's model is a latency table, which is stored so that the study can be costed anew."""
    from hardware_models.latency_table import LatencyTable

    return isinstance(getattr(model, "model", None), LatencyTable)
