"""Latency tables made of the rows that ProxylessNAS and once-for-all published.

A row's key is a text such as `Conv-input:224x224x3-output:112x112x32`, in blocks followed by settings such as
`-expand:3-kernel:5-stride:2-idskip:0`; shapes are height x width x channels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hardware_models.formats._mobile_files import Row, Tables
from hardware_models.imported_table import UNKNOWN, imported, plain_entry
from hardware_models.latency_table import Entry, LatencyTable, Provenance
from hardware_models.op import Op, Shape

STEM = "Conv"
"""The kind of the row that tells a table's resolution."""

_KEY = re.compile(r"(\w+)-input:(\d+)x(\d+)x(\d+)-output:(?:(\d+)x(\d+)x)?(\d+)((?:-[a-z]+:\d+)*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """What a key says: shapes are (channels, height, width), or (features,) of an output without sides."""

    kind: str
    inputs: Shape
    output: Shape
    settings: Mapping[str, int]


OpOf = Callable[[Key], Op]
"""Returns the operator of a key. Raises ValueError for a key that no operator has."""


def make_table(
    tables: Tables,
    op_of: OpOf,
    kinds: Collection[str],
    provenance: Provenance,
    resolutions: Collection[int] | None = None,
) -> LatencyTable:
    """Return one table of the rows of all resolutions, or of some.

    An operator that was measured at several resolutions has its value of the largest.

    Args:
      tables: of each resolution.
      op_of: makes an operator of a key.
      kinds: of rows that every table must have: without one of them no network could be costed.
      provenance: of the table.
      resolutions: those whose rows are taken; None for all.

    Raises:
      ValueError: for a row that is no operator or whose operator stands twice, for a missing kind or resolution and for
        two tables of one resolution; the message holds the file and the line or path.
    """
    made: dict[int, dict[Op, Entry]] = {}
    for rows in tables:
        side, found = _entries(rows, op_of, kinds)
        if side in made:
            raise ValueError(f"{rows[0].place}: the second table of resolution {side}")
        made[side] = found
    wanted = made if resolutions is None else resolutions
    if not made.keys() >= set(wanted):
        raise ValueError(f"no table of resolution {min(set(wanted) - made.keys())}; there are {_listed(made)}")
    entries: dict[Op, Entry] = {}
    for side in sorted(wanted):
        entries.update(made[side])
    return LatencyTable(entries, provenance)


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _entries(rows: list[Row], op_of: OpOf, kinds: Collection[str]) -> tuple[int, dict[Op, Entry]]:
    """Return the resolution of a table and its entries."""
    entries: dict[Op, Entry] = {}
    missing, side = set(kinds), 0
    for row in rows:
        key = _read_key(row)
        try:
            op = op_of(key)
        except ValueError as error:
            raise ValueError(f"{row.place}: {error}, got {row.key!r}") from None
        if op.output != key.output or op in entries:
            problem = "stands twice" if op in entries else f"has the output {op.output}"
            raise ValueError(f"{row.place}: the operator of {row.key!r} {problem}")
        entries[op] = plain_entry(row.mean_ms, row.samples)
        missing.discard(key.kind)
        side = key.inputs[1] if key.kind == STEM else side
    if missing:
        raise ValueError(f"{rows[-1].place}: the table ends without {' and '.join(sorted(missing))}")
    return side, entries


def _read_key(row: Row) -> Key:
    match = _KEY.fullmatch(row.key)
    if match is None:
        raise ValueError(f"{row.place}: expected a key such as Conv-input:224x224x3-output:112x112x32, got {row.key!r}")
    kind, *sides, settings = match.groups()
    height, width, channels, rows, columns, features = (int(side or 0) for side in sides)
    pairs = [pair.split(":") for pair in settings.split("-")[1:]]
    found = {name: int(value) for name, value in pairs}
    if len(found) < len(pairs) or 0 in (height, width, channels, features):
        raise ValueError(f"{row.place}: a size is zero or a setting stands twice in {row.key!r}")
    output = (features, rows, columns) if sides[3] else (features,)
    return Key(kind, (channels, height, width), output, found)


def settings_of(key: Key, *names: str) -> tuple[int, ...]:
    """Return the settings of a key by name. Raises ValueError unless it has exactly these."""
    if set(key.settings) != set(names):
        raise ValueError(f"{key.kind} must have the settings {', '.join(names) or 'none'}")
    return tuple(key.settings[name] for name in names)


def origin(path: Path, device: str, told: str) -> Provenance:
    """Return the provenance of a table whose file tells the device at most: what nobody said is `unknown`.

    `device` is the name that it is to have, else what the file told, else the file's own name. Both published tables
    are of single images, in float32.
    """
    name = device or told or path.name.partition(".")[0]
    return replace(imported(path, name, UNKNOWN, 1, {}), device_name=told or name, dtype="float32")
