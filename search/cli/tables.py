"""Stored latency tables as models: which one is meant, what it is of, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from search.metric_names import number
from search.study_devices import THIS, StudyDevice

if TYPE_CHECKING:
    from search.storage import Storage, StoredTable

FACTS = ("device", "device_name", "engine", "engine_version", "threads", "batch", "created_at")
"""What is said of a table wherever it is named."""


@dataclass(frozen=True, slots=True)
class Table:
    """A stored latency table.

    Attributes:
      model: the hardware model that it is.
      sha256: of its document, by which it is known.
      origin: its `FACTS`.
      measured_now: whether it was measured by this run.
    """

    model: Any
    sha256: str
    origin: Mapping[str, Any]
    measured_now: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What a study keeps of it: the digest and the facts."""
        return {"sha256": self.sha256, **self.origin}


def model_of(document: str) -> Any:
    """Return the hardware model that a stored document is. Raises ValueError for what is none."""
    from hardware_models.documents import load_model

    return load_model(document)


def opened(stored: StoredTable) -> Table:
    """Return a stored table with its model. Raises ValueError for a damaged one."""
    stored_at = datetime.fromtimestamp(stored.created_at, UTC).isoformat(timespec="seconds")
    known = {"device_name": stored.device, "engine_version": "", "created_at": stored_at}
    known |= {fact: stored.provenance[fact] for fact in known if fact in stored.provenance}
    known |= {fact: getattr(stored, fact) for fact in ("device", "engine", "threads", "batch")}
    return Table(model_of(stored.document), stored.sha256, {fact: known[fact] for fact in FACTS})


def table_used(storage: Storage, used: Mapping[str, Any]) -> Table | None:
    """Return the very table that a study names by its facts; None where it is no longer stored."""
    stored = storage.latency_tables(device=used.get("device"))
    return next((opened(item) for item in stored if item.sha256 == used.get("sha256")), None)


def tables_of(storage: Storage, device: StudyDevice, usual: Mapping[str, Any]) -> list[StoredTable]:
    """Return the stored tables of a device that fit what is said of it, the newest first; all of one kind.

    `usual` are the study's engine, threads and batch: they decide between kinds where the device says nothing.
    Raises ValueError, with what there is, for an unknown device, for none that fits, and for several kinds.
    """
    stored = storage.latency_tables(device=device.device)
    if not stored:
        raise unknown_device(storage, device.device)
    fits = [table for table in stored if fits_setup(table, device.setup)]
    if not fits:
        raise ValueError(f"no latency table of device {device.device!r} is of {_words(device.setup)}: {_kinds(stored)}")
    if len({_kind(table) for table in fits}) > 1:
        fits = [table for table in fits if fits_setup(table, usual)]
    if not fits:
        raise ValueError(
            f"which latency table of device {device.device!r} is not said: {_kinds(stored)}; say it by "
            f"devices = {{{device.name!r}: {{'device': {device.device!r}, 'engine': ..., 'batch': ...}}}}"
        )
    return fits


def unknown_device(storage: Storage, name: str) -> ValueError:
    """Return the error that names the devices there are, and says how to have another one."""
    names = sorted({table.device for table in storage.latency_tables()} | {THIS})
    close = get_close_matches(name, names, n=1)
    return ValueError(
        f"no latency table of device {name!r} is stored; {f'did you mean {close[0]!r}? ' if close else ''}"
        f"known: {', '.join(names)}; import its table (python -m search devices --help), or profile it: "
        f"python -m search profile on that machine"
    )


def _kind(table: StoredTable) -> tuple[str, int, int]:
    return table.engine, table.threads, table.batch


def fits_setup(table: StoredTable, setup: Mapping[str, Any]) -> bool:
    """Return whether a table is of an engine, threads and batch, as far as they are given."""
    return all(getattr(table, field) == value for field, value in setup.items())


def _kinds(tables: Sequence[StoredTable]) -> str:
    """Say what tables there are of."""
    kinds = dict.fromkeys(_kind(table) for table in tables)
    words = (_words(dict(zip(("engine", "threads", "batch"), kind, strict=True))) for kind in kinds)
    return f"there are of {', and of '.join(words)}"


def _words(setup: Mapping[str, Any]) -> str:
    return ", ".join(f"{field} {value}" for field, value in setup.items())


def version_text(facts: Mapping[str, Any]) -> str:
    """Return which version of which table some facts are of, e.g. "4f1d2c3b5a69 of pixel3, tflite, of 2026-..."."""
    engine = f"{facts.get('engine')} {facts.get('engine_version', '')}".rstrip()
    return f"{str(facts.get('sha256'))[:12]} of {facts.get('device_name')}, {engine}, of {facts.get('created_at')}"


def table_line(table: Table, name: str = "") -> str:
    """Return a line that says where a latency table comes from and how good it is."""
    origin = table.origin
    fit = getattr(getattr(table.model, "calibration", None), "validation", None)
    entries = getattr(table.model, "entries", None)
    how = "measured now" if table.measured_now else f"stored, of {origin['created_at']}"
    size = "" if entries is None else f"{len(entries)} operators, "
    quality = "" if fit is None else f"; leave-one-out error on {fit.networks} networks {number(100 * fit.mape, 2)} %"
    threads = f"{origin['threads']} thread{'s' if origin['threads'] != 1 else ''}"
    engine = f"{origin['engine']} {origin['engine_version']}".rstrip()
    of = f"latency table of {origin['device_name']}, {engine}, {threads}, batch {origin['batch']}: {size}{how}{quality}"
    return f"{name}: {of}" if name else of


def warning_of(model: Any) -> str | None:
    """Return what is to be said of a hardware model that should not be relied on; None where it says nothing itself."""
    warning = model.warning() if hasattr(model, "warning") else None
    return None if warning is None else f"{warning}: take its latencies as a ranking, or profile on a quiet machine"
