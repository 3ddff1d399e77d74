"""Tables of operators that come from outside: entries gathered line by line, and what is said of their origin."""

from __future__ import annotations

from pathlib import Path

from hardware_models.latency_table import Entry, LatencyTable, Provenance
from hardware_models.op import Op
from hardware_models.text_file import digest, modified

UNKNOWN = "unknown"


class Entries:
    """The operators of one device as they are read, none twice."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[Op, int] = {}
        self.entries: dict[Op, Entry] = {}

    def add(self, line: int, op: Op, entry: Entry) -> None:
        """Take the entry of a line. Raises ValueError where the operator stood on another line already."""
        if op in self._lines:
            raise ValueError(f"{self._path}:{line}: the operator {op} stands on line {self._lines[op]} already")
        self._lines[op], self.entries[op] = line, entry

    def table(self, device: str, engine: str = UNKNOWN, batch: int = 1) -> LatencyTable:
        """Return the table. Raises ValueError where there is no entry."""
        if not self.entries:
            raise ValueError(f"{self._path}: there is no operator in it")
        return LatencyTable(self.entries, imported(self._path, device, engine, batch, self.entries))


def plain_entry(latency_ms: float, samples: int = 0) -> Entry:
    """Return the entry of a latency that came without its spread."""
    return Entry(latency_ms, samples, latency_ms, latency_ms, latency_ms, (latency_ms, latency_ms))


def imported(path: Path, device: str, engine: str, batch: int, entries: dict[Op, Entry]) -> Provenance:
    """Return the provenance of a file that tells no more than its device: what nobody said is `unknown`."""
    return Provenance(
        device=device,
        device_name=device,
        fingerprint=digest(path),
        engine=engine,
        engine_version=UNKNOWN,
        threads=1,
        batch=batch,
        dtype=",".join(sorted({op.dtype for op in entries})) or UNKNOWN,
        layout=UNKNOWN,
        software={IMPORTED_FROM: path.name[:64]},
        created_at=modified(path),
        rounds=1,
        clock=UNKNOWN,
        load_average=0.0,
        involuntary_switches=0,
        wall_over_cpu=1.0,
        noise=0.0,
    )


IMPORTED_FROM = "imported_from"
"""Stands among an imported table's software, with the name of its file."""
