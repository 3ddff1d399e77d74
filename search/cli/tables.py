"""Stored latency tables as models: which one is meant, what it is of, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from search.metric_names import number
from search.study_devices import THIS, StudyDevice

if TYPE_CHECKING:
    from hardware_models.documents import DeviceModel
    from search.storage import Storage, StoredTable

FACTS = ("device", "device_name", "engine", "engine_version", "threads", "batch", "created_at")
"""What is said of a table wherever it is named."""


NOBODY_SAID = "unknown"
"""The engine, and its version, of imported tables whose files do not tell."""

UNKNOWN = 0
"""What the storage holds for the batch and the threads where nobody said them."""


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


def opened(stored: StoredTable) -> Table:
    """Return a stored table with its model. Raises ValueError for a damaged one."""
    from hardware_models.documents import load_model

    stored_at = datetime.fromtimestamp(stored.created_at, UTC).isoformat(timespec="seconds")
    known = {"device_name": stored.device, "engine_version": "", "created_at": stored_at}
    known |= {fact: stored.provenance[fact] for fact in known if fact in stored.provenance}
    known |= {fact: getattr(stored, fact) for fact in ("device", "engine", "threads", "batch")}
    return Table(load_model(stored.document), stored.sha256, {fact: known[fact] for fact in FACTS})


def keep(storage: Storage, model: DeviceModel, *, measured_now: bool = False) -> Table:
    """Store a model with its provenance and return it as stored; the same document again is kept once."""
    from hardware_models.latency_table import LatencyTable

    if isinstance(model, LatencyTable):
        about = asdict(model.provenance) | {"software": dict(model.provenance.software)}
    else:
        about = asdict(model.origin) | {"space": model.space.name}
    number = storage.save_latency_table(
        model.to_json(), device=about["device"], engine=about["engine"], threads=about.get("threads") or UNKNOWN,
        batch=about["batch"] or UNKNOWN, provenance=about,
    )  # fmt: skip
    stored = storage.load_latency_table(id=number)
    if stored is None:
        raise ValueError(f"the latency table of {about['device']!r} was removed while it was being stored")
    return replace(opened(stored), measured_now=measured_now)


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


def keep_shipped(storage: Storage, name: str) -> None:
    """Store the model of the device `name` that comes with the project, where none of it is stored."""
    from search.cli.known_devices import shipped

    if not storage.latency_tables(device=name):
        for device in shipped():
            if device.name == name:
                keep(storage, device.model())


def unknown_device(storage: Storage, name: str) -> ValueError:
    """Return the error that names the devices there are, and says how to have another one."""
    from search.cli.known_devices import shipped

    own = {table.device for table in storage.latency_tables()} | {THIS}
    names = [*sorted(own), *(device.name for device in shipped() if device.name not in own)]
    close = get_close_matches(name, names, n=1)
    return ValueError(
        f"no latency table of device {name!r} is known; {f'did you mean {close[0]!r}? ' if close else ''}"
        f"there are {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}; import its table (python -m search "
        f"devices import --help), or profile it: python -m search profile on that machine"
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
    engine = f"{origin['engine']} {origin['engine_version']}".replace(NOBODY_SAID, "").strip()
    ran = [*([engine] if engine else []), *run_with(origin["threads"], origin["batch"])]
    facts = [f"latency table of {origin['device_name']}", *ran]
    size = f"{len(entries)} operators, " if isinstance(entries, Mapping) else ""
    how = "measured now" if table.measured_now else f"stored, of {origin['created_at']}"
    quality = "" if fit is None else f"; leave-one-out error on {fit.networks} networks {number(100 * fit.mape, 2)} %"
    of = f"{', '.join(facts)}: {size}{how}{quality}"
    return f"{name}: {of}" if name else of


def run_with(threads: int | None, batch: int | None) -> list[str]:
    """Return the threads and the batch in words, without those that nobody said."""
    words = [f"{threads} thread{'s' if threads != 1 else ''}"] if threads else []
    return words + ([f"batch {batch}"] if batch else [])


def warning_of(model: Any) -> str | None:
    """Return what is to be said of a hardware model that should not be relied on; None where it says nothing itself."""
    warning = model.warning() if hasattr(model, "warning") else None
    return None if warning is None else f"{warning}: take its latencies as a ranking, or profile on a quiet machine"
