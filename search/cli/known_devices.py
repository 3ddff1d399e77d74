"""The devices that are known: stored models and those that come with the project, each found by its name."""

from __future__ import annotations

import difflib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from search.cli.command import NAME
from search.cli.stored import existing_storage, not_made_yet

if TYPE_CHECKING:
    from hardware_models.documents import DeviceModel

SHORTEST_DIGEST = 4


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device's model.

    Attributes:
      name: the device's.
      document: as it is stored or shipped.
      stored_at: seconds since 1970; None for a shipped one.
    """

    name: str
    document: str
    stored_at: float | None = None

    @property
    def sha256(self) -> str:
        """The document's digest, by which it can be named too."""
        return sha256(self.document.encode()).hexdigest()

    def model(self) -> DeviceModel:
        """Return the model; raises ValueError for a damaged document."""
        from hardware_models.documents import load_model

        return load_model(self.document)

    def record(self) -> dict[str, Any]:
        """Return what is told of the device in one line; `kind` is `damaged` where the document cannot be read."""
        from hardware_models.latency_table import LatencyTable

        record: dict[str, Any] = {"device": self.name, "sha256": self.sha256, "stored_at": self.stored_at}
        try:
            model = self.model()
        except ValueError as error:
            return record | {"kind": "damaged", "problem": str(error)}
        return record | (_of_operators(model) if isinstance(model, LatencyTable) else _of_networks(model))


def _of_operators(table: Any) -> dict[str, Any]:
    from hardware_models.device import this_device
    from hardware_models.imported_table import IMPORTED_FROM

    origin, check = table.provenance, table.calibration.validation
    source, here = origin.software.get(IMPORTED_FROM), origin.fingerprint == this_device().fingerprint
    return {
        "kind": "imported" if source else "profiled here" if here else "profiled",
        "of": "operators",
        "entries": len(table.entries),
        "engine": origin.engine,
        "threads": origin.threads,
        "batch": origin.batch,
        "measured_at": origin.created_at,
        "source": source or origin.device_name,
        "mean_error": None if check is None else check.mape,
        "median_error": None,
        "validated_on": 0 if check is None else check.networks,
    }


def _of_networks(table: Any) -> dict[str, Any]:
    origin, check = table.origin, table.validation
    return {
        "kind": origin.method,
        "of": table.space.name,
        "entries": table.entries,
        "engine": origin.engine,
        "threads": None,
        "batch": origin.batch,
        "measured_at": origin.created_at,
        "source": origin.source,
        "networks": origin.networks,
        "mean_error": None if check is None else check.mape,
        "median_error": None if check is None else check.median_error,
        "validated_on": 0 if check is None else check.networks,
    }


def stored_devices(storage: str) -> list[KnownDevice]:
    """Return the stored models, the newest first; none where the storage is not made yet."""
    if not_made_yet(storage):
        return []
    with existing_storage(storage) as store:
        return [KnownDevice(table.device, table.document, table.created_at) for table in store.latency_tables()]


def shipped() -> list[KnownDevice]:
    """Return the models that come with the project, by name, each with the document as it would be stored."""
    from hardware_models.documents import load_model
    from hardware_models.shipped_devices import shipped_documents

    models = [load_model(document) for document in shipped_documents()]
    return [KnownDevice(device_of(model), model.to_json()) for model in models]


def device_of(model: DeviceModel) -> str:
    """Return the name of a model's device."""
    from hardware_models.latency_table import LatencyTable

    return model.provenance.device if isinstance(model, LatencyTable) else model.origin.device


def find_device(storage: str, name: str) -> KnownDevice:
    """Return the newest stored model of the device `name`, or the shipped one, or the one whose digest begins so.

    Raises:
      ValueError: where there is none, or several digests begin so.
    """
    everything = [*stored_devices(storage), *shipped()]
    for device in everything:
        if device.name == name:
            return device
    matching = {device.sha256: device for device in everything if device.sha256.startswith(name)}
    if len(matching) == 1 and len(name) >= SHORTEST_DIGEST:
        return next(iter(matching.values()))
    names = list(dict.fromkeys(device.name for device in everything))
    close = difflib.get_close_matches(name, names, 1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names[:8])}" if names else ""
    raise ValueError(f"no device {name!r} is known{hint} (python -m search devices lists them)")


def check_device_name(name: str) -> str:
    """Return a device's name as it is. Raises ValueError for one that cannot be typed everywhere, and for `this`."""
    from search.study_devices import THIS

    if name == THIS:
        raise ValueError(f"{name!r} always means the machine at hand: give the device another name with --device")
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no device's name: use letters, digits, '.', '_', '-'; give one with --device")
    return name


def when(record: dict[str, Any]) -> str:
    """Return how long ago a model was stored, or for a shipped one when it was measured."""
    from search.metric_names import ago

    if record["stored_at"] is not None:
        return ago(time.time() - record["stored_at"])
    measured = record.get("measured_at")
    return "" if measured is None else datetime.fromisoformat(measured).astimezone(UTC).date().isoformat()
