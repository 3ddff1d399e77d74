"""The devices of a study: their names, and where each one's costs come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hardware_models.at_device import AtDevice, at

LATENCY = "latency_ms"
THIS = "this"
"""The name of the machine that the driver runs on."""

EXPECTED = (
    "expected names of devices, e.g. ['pixel3', 'this'], hardware models, or a mapping of names to either, or to "
    "{'device': ..., 'engine': ..., 'threads': ..., 'batch': ...}"
)


@dataclass(frozen=True, slots=True)
class StudyDevice:
    """One device of a study.

    Attributes:
      name: what stands after `@` in its metrics.
      device: whose stored latency table gives them; `this` is the driver's machine.
      engine, threads, batch: which of its tables; None for those of the study, or of the only ones that there are.
      model: what gives the metrics instead of a table, named for the device already.
    """

    name: str
    device: str = ""
    engine: str | None = None
    threads: int | None = None
    batch: int | None = None
    model: Any = None

    def __post_init__(self) -> None:
        from search.objectives import check_metric_name

        check_metric_name(at(LATENCY, self.name))

    @property
    def setup(self) -> dict[str, Any]:
        """What its table must be of, as far as it was said: engine, threads and batch."""
        said = {"engine": self.engine, "threads": self.threads, "batch": self.batch}
        return {field: value for field, value in said.items() if value is not None}


def is_model(value: Any) -> bool:
    """Return whether `value` can cost networks: by a call with operators, or by `costs` of genotypes."""
    return hasattr(value, "metrics") and not isinstance(value, type) and (callable(value) or hasattr(value, "costs"))


def parse_devices(value: Any) -> tuple[StudyDevice, ...]:
    """Return the devices that `devices = ...` of a study file names. Raises ValueError for anything else."""
    if isinstance(value, Mapping):
        devices = [_named(name, item) for name, item in value.items()]
    else:
        items = list(value) if isinstance(value, list | tuple) else [value]
        devices = [_unnamed(item) for item in items]
    names = [device.name for device in devices]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"device {twice[0]!r} stands twice; name them apart by a mapping")
    return tuple(devices)


def _unnamed(item: Any) -> StudyDevice:
    if isinstance(item, str) and item:
        return StudyDevice(item, item)
    if not is_model(item):
        raise ValueError(EXPECTED)
    placed = {metric.partition("@")[2] for metric in item.metrics}
    if placed != {""}:
        if len(placed) > 1:
            raise ValueError(f"metrics {', '.join(item.metrics)} are of several devices; put it into hardware_models")
        return StudyDevice(placed.pop(), model=item)
    name = getattr(getattr(item, "provenance", None), "device", None)
    if not isinstance(name, str):
        raise ValueError(f"the device of {type(item).__name__} has no name: give it one by {{'NAME': model}}")
    return StudyDevice(name, model=AtDevice(item, name))


def _named(name: Any, item: Any) -> StudyDevice:
    if not isinstance(name, str):
        raise ValueError(EXPECTED)
    if isinstance(item, str) and item:
        return StudyDevice(name, item)
    if is_model(item):
        return StudyDevice(name, model=AtDevice(item, name))
    if not isinstance(item, Mapping) or not isinstance(item.get("device"), str):
        raise ValueError(EXPECTED)
    unknown = sorted(map(str, item.keys() - {"device", "engine", "threads", "batch"}))
    wrong = [field for field in ("threads", "batch") if not _whole(item.get(field, 1))]
    if unknown or wrong or not isinstance(item.get("engine", ""), str):
        raise ValueError(f"{(*unknown, *wrong, 'engine')[0]!r} of device {name!r} is not understood; {EXPECTED}")
    return StudyDevice(name, **item)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def devices_named(metrics: Iterable[str], given: Iterable[str]) -> tuple[str, ...]:
    """Return the devices whose latency `metrics` name, e.g. `latency_ms@pixel3`, but for those metrics in `given`."""
    wanted = dict.fromkeys(metric for metric in metrics if metric.startswith(at(LATENCY, "")))
    return tuple(metric.partition("@")[2] for metric in wanted if metric not in set(given))
