"""The models of devices that are stored or come with the project, read once each."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa

from hardware_models.documents import DeviceModel, load_model
from hardware_models.latency_table import LatencyTable
from hardware_models.shipped_devices import shipped_documents
from search.dashboard.refusal import not_found
from search.database import Database
from search.schema import latency_tables

SHORTEST_DIGEST = 6


@dataclass(frozen=True, slots=True)
class Device:
    """One version of a device's model.

    Attributes:
      name: the device's.
      sha256: of the document.
      stored_at: seconds since 1970; None for one that comes with the project.
      model: None where the document cannot be read.
      problem: why it cannot.
    """

    name: str
    sha256: str
    stored_at: float | None
    model: DeviceModel | None
    problem: str = ""


class Devices:
    """All devices of a database and of the project. May be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._read: dict[str, Device] = {}
        self._shipped: list[Device] | None = None

    def stamp(self) -> tuple[object, ...]:
        """Return what differs whenever the devices do."""
        query = sa.select(sa.func.count(), sa.func.max(latency_tables.c.id), sa.func.sum(latency_tables.c.id))
        with self._database.read() as connection:
            return tuple(connection.execute(query).one())

    def all(self) -> list[Device]:
        """Return every version of every device: the stored ones, the newest first, then the project's others."""
        order = latency_tables.c.created_at.desc(), latency_tables.c.id.desc()
        query = sa.select(latency_tables.c.sha256, latency_tables.c.device, latency_tables.c.created_at)
        with self._lock, self._database.read() as connection:
            rows = connection.execute(query.order_by(*order)).all()
            missing = [row.sha256 for row in rows if row.sha256 not in self._read]
            texts = sa.select(latency_tables).where(latency_tables.c.sha256.in_(missing))
            for row in connection.execute(texts) if missing else ():
                self._read[row.sha256] = _device(row.device, row.document, row.created_at)
            if self._shipped is None:
                self._shipped = [_shipped(document) for document in shipped_documents()]
            stored = {row.sha256: self._read[row.sha256] for row in rows}
            return [*stored.values(), *(own for own in self._shipped if own.sha256 not in stored)]

    def find(self, name: str) -> Device:
        """Return the newest model of a device, or the one whose digest begins so. Raises Refusal."""
        everything = self.all()
        for device in everything:
            if device.name == name:
                return device
        found = {device.sha256: device for device in everything if device.sha256.startswith(name)}
        if len(found) != 1 or len(name) < SHORTEST_DIGEST:
            raise not_found(f"no device {name[:80]!r} is known; GET /api/v1/devices lists them")
        return next(iter(found.values()))


def device_of(model: DeviceModel) -> str:
    """Return the name of a model's device."""
    return model.provenance.device if isinstance(model, LatencyTable) else model.origin.device


def _device(name: str, document: str, stored_at: float | None) -> Device:
    digest = sha256(document.encode()).hexdigest()
    try:
        return Device(name, digest, stored_at, load_model(document))
    except ValueError as error:
        return Device(name, digest, stored_at, None, " ".join(str(error).split()))


def _shipped(document: str) -> Device:
    model = load_model(document)
    as_stored = sha256(model.to_json().encode()).hexdigest()
    return Device(device_of(model), as_stored, None, model)
