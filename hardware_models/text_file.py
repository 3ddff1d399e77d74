"""Text files from outside, read line by line: every refusal names the file and the line."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

LARGEST_BYTES = 256 * 2**20
"""Of a file, unpacked: what is larger is no latency table."""


def read_text(path: Path) -> str:
    """Return a UTF-8 file's text; unpacked if its name or its first bytes say gzip. Line ends become a newline.

    Raises:
      ValueError: for one that is too large, not gzip though it says so, or not UTF-8.
      OSError: where it cannot be read.
    """
    try:
        with path.open("rb") as raw:
            packed = path.suffix == ".gz" or raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: damaged: {error}") from None
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"{path}: larger than {LARGEST_BYTES // 2**20} MiB; a latency table is smaller")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}:{line}: not UTF-8 text") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of those of all files of a folder one after another, in hexadecimal."""
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def modified(path: Path) -> str:
    """Return when a file was last changed: ISO 8601 in UTC."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")


LONGEST_MS = 365 * 86_400 * 1e3
"""A year: a latency that long is a mistake."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of text: its cells by column, and where it stands."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def text(self, column: str, default: str | None = None) -> str:
        """Return a cell of printable characters. An empty or absent one is `default`, refused if that is None."""
        cell = self.cells.get(column, "").strip()
        if not cell:
            if default is None:
                self.refuse(f"{column} is missing")
            return default
        if not cell.isprintable():
            self.refuse(f"{column}: expected printable characters, got {ascii(cell)[:60]}")
        return cell

    def integer(self, column: str, least: int, most: int = 2**31, default: int | None = None) -> int:
        """Return a whole number within the bounds."""
        cell = self.text(column, None if default is None else str(default))
        whole = cell.isascii() and cell.removeprefix("-").isdecimal() and len(cell) < 20
        if not whole or not least <= int(cell) <= most:
            self.refuse(f"{column}: expected an integer from {least} to {most}, got {ascii(cell)[:60]}")
        return int(cell)

    def latency(self, column: str, per_ms: float, *, zero: bool = False) -> float:
        """Return a latency in ms, above zero or also `zero`, and below a year.

        A cell holds `per_ms` of its unit for a millisecond.
        """
        cell = self.text(column)
        value = float(cell) / per_ms if _NUMBER.fullmatch(cell) else -1.0
        if not 0 <= value < LONGEST_MS or (value == 0 and not zero):
            bound = "below a year" if value >= LONGEST_MS else "of at least zero" if zero else "above zero"
            self.refuse(f"{column}: expected a latency {bound}, got {ascii(cell)[:60]}")
        return value

    def refuse(self, problem: str) -> NoReturn:
        """Raise the error that names file, line and problem."""
        raise ValueError(f"{self.path}:{self.line}: {problem}")


def read_csv(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], Iterator[Row]]:
    """Return a CSV file's comments (first lines with a `#`), its columns, and its rows one by one.

    Empty lines are passed over. Raises ValueError for a file without columns or with one twice; rows raise it for
    another number of cells than there are columns.
    """
    lines = read_text(path).split("\n")
    start = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    reader = csv.reader((line + "\n" for line in lines[start:]), strict=True)
    try:
        columns = tuple(name.strip() for name in next(reader, []))
    except csv.Error as error:
        raise ValueError(f"{path}:{start + 1}: not CSV: {error}") from None
    if not any(columns):
        raise ValueError(f"{path}:{start + 1}: expected a line that names the columns")
    for name in columns:
        if columns.count(name) > 1:
            raise ValueError(f"{path}:{start + 1}: the column {ascii(name)[:60]} stands twice")
    return tuple(lines[:start]), columns, _rows(path, reader, columns, start)


def _rows(path: Path, reader: Iterator[list[str]], columns: Sequence[str], start: int) -> Iterator[Row]:
    line = start + 1
    while True:
        first = start + reader.line_num + 1  # type: ignore[attr-defined]
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"{path}:{first}: not CSV: {error}") from None
        if cells is None:
            return
        line = first
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise ValueError(f"{path}:{line}: expected {len(columns)} cells, one for each column, got {len(cells)}")
        yield Row(path, line, dict(zip(columns, cells, strict=True)))


UNITS_PER_MS = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
"""How many of a unit make a millisecond."""


def latency_column(path: Path, columns: Sequence[str]) -> tuple[str, float]:
    """Return the column `latency_UNIT` and how many of the unit make a millisecond.

    Raises:
      ValueError: where there is none, or it does not say its unit.
    """
    for unit, per_ms in UNITS_PER_MS.items():
        if f"latency_{unit}" in columns:
            return f"latency_{unit}", per_ms
    told = "latency has no unit" if "latency" in columns else "there is no latency"
    raise ValueError(f"{path}:1: {told}: expected a column latency_ms (or latency_s, latency_us, latency_ns)")
