"""A CSV of whole networks as HELP and HW-NAS-Bench list them: an architecture's code and its latency on each device."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware_models.additive_terms import pairs_of
from hardware_models.documents import DeviceModel
from hardware_models.imported_table import UNKNOWN
from hardware_models.learning import learn
from hardware_models.listed_table import ListedTable, can_be_listed
from hardware_models.space_identity import SpaceIdentity
from hardware_models.table_origin import Origin
from hardware_models.text_file import UNITS_PER_MS, Row, digest, modified, read_csv

CODES = ("arch_code", "arch", "architecture", "code", "genotype")
PASSED_OVER = ("arch_index", "index")
_SEPARATORS = re.compile(r"[\s,;/|-]+")


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of a file: genotypes (n, width), and each device's latencies (n,) in ms by its name."""

    genotypes: np.ndarray
    latencies_ms: dict[str, np.ndarray]


def recognises(head: str) -> bool:
    """Return whether a file that begins like this is of this format."""
    columns = head.partition("\n")[0].replace(" ", "").split(",")
    return bool(set(CODES) & set(columns[:2]))


def read(
    path: Path, *, device: str = "", space: SpaceIdentity | None = None, unit: str | None = None
) -> list[DeviceModel]:
    """Return a model for each device: the list itself where it holds the whole space, else a table learnt from it.

    Raises:
      ValueError: without a space; and as `read_networks` and `learn` do.
    """
    if space is None:
        raise ValueError(f"{path}: codes of architectures can only be read for a space: name it with --space")
    found = read_networks(path, space, device=device, unit=unit)
    if can_be_listed(space) and len(found.genotypes) == space.grid_size:
        return [
            _listed(space, found.genotypes, latencies, origin(path, name, "listed", len(latencies)))
            for name, latencies in found.latencies_ms.items()
        ]
    return learnt(path, space, found)


def learnt(path: Path, space: SpaceIdentity, found: Networks, pairs: str = "none") -> list[DeviceModel]:
    """Return a table for each device, learnt from the networks of a file; `pairs` as `pairs_of` has them."""
    return [
        learn(space, found.genotypes, latencies, origin(path, name, "learned", len(latencies)), pairs_of(space, pairs))
        for name, latencies in found.latencies_ms.items()
    ]


def origin(path: Path, device: str, method: str, networks: int) -> Origin:
    """Return where a model of a file's networks comes from."""
    return Origin(device, UNKNOWN, None, method, path.name[:200], digest(path), networks, modified(path))


def read_networks(path: Path, space: SpaceIdentity, *, device: str = "", unit: str | None = None) -> Networks:
    """Return the networks of a CSV file and their latencies.

    One column holds codes (`arch_code`, `arch`, `architecture`, `code` or `genotype`): a digit for each decision, or
    numbers with spaces, commas, dashes between them. Every other one but `arch_index` is a device's: `NAME`, `NAME_ms`
    or `latency_ms@NAME`; `latency_ms` is of the device `device`. The unit stands in the column, else in the file's name
    (`latency_ms.csv.gz`), else it is `unit`.

    Args:
      device: the column that is wanted, or what to call the device of `latency_ms`; by default all.

    Raises:
      ValueError: with file and line, for a code that is none of the space's or stands twice, a latency that is missing,
        not above zero or has no unit.
    """
    comments, columns, rows = read_csv(path)
    place = f"{path}:{len(comments) + 1}"
    code = next((name for name in CODES if name in columns), None)
    if code is None:
        raise ValueError(f"{place}: there are no codes of architectures: expected a column {', '.join(CODES)}")
    told = [name for name in columns if name not in (code, *PASSED_OVER)]
    wanted = _wanted([_Device.of(path, name, unit, device, place) for name in told], device, place)
    lines: dict[tuple[int, ...], int] = {}
    latencies: list[list[float]] = []
    for row in rows:
        genotype = read_code(row, code, space)
        if genotype in lines:
            row.refuse(f"the architecture {row.text(code)} stands on line {lines[genotype]} already")
        lines[genotype] = row.line
        latencies.append([row.latency(one.column, one.per_ms) for one in wanted])
    if not lines:
        raise ValueError(f"{path}: there is no architecture in it")
    table = np.array(latencies)
    genotypes = np.array(list(lines))
    return Networks(genotypes, {one.name: table[:, index] for index, one in enumerate(wanted)})


def read_code(row: Row, column: str, space: SpaceIdentity) -> tuple[int, ...]:
    """Return the genotype of a cell. Raises ValueError with file and line for one that the space does not hold."""
    cell = row.text(column)
    parts = [part for part in _SEPARATORS.split(cell.strip("[](){} ")) if part]
    numbers = list(parts[0]) if len(parts) == 1 and space.width > 1 else parts
    whole = all(part.isascii() and part.isdecimal() and len(part) < 10 for part in numbers)
    genotype = tuple(map(int, numbers)) if whole else ()
    if len(genotype) != space.width or any(
        number >= count for number, count in zip(genotype, space.cardinalities, strict=True)
    ):
        row.refuse(
            f"{column}: {ascii(cell)[:60]} is no architecture of {space.name}: expected {space.width} numbers, "
            f"{_bounds(space)}"
        )
    return genotype


def _bounds(space: SpaceIdentity) -> str:
    most = [str(count - 1) for count in space.cardinalities]
    return f"each from 0 to {most[0]}" if len(set(most)) == 1 else f"from 0 to {', '.join(most[:12])}"


@dataclass(frozen=True, slots=True)
class _Device:
    """A column of latencies: the device's name, and how many of its unit make a millisecond."""

    column: str
    name: str
    per_ms: float

    @classmethod
    def of(cls, path: Path, column: str, unit: str | None, device: str, place: str) -> _Device:
        """Return what a column is. Raises ValueError for one without a unit."""
        units = "|".join(UNITS_PER_MS)
        match = re.fullmatch(rf"latency_({units})(?:@(.+))?", column) or re.fullmatch(rf".+_({units})", column)
        told = match[1] if match else _unit_of(path.name.partition(".")[0], units) or unit
        if told is None:
            raise ValueError(
                f"{place}: the latencies of {ascii(column)[:60]} have no unit: call the column {column}_ms, or say "
                f"--unit ms"
            )
        if told not in UNITS_PER_MS:
            raise ValueError(f"unknown unit {told!r}: expected {', '.join(UNITS_PER_MS)}")
        name = column.removesuffix(f"_{told}") if match else column
        if column.startswith(f"latency_{told}"):
            name = column.partition("@")[2] or device or path.name.partition(".")[0]
        return cls(column, name, UNITS_PER_MS[told])


def _unit_of(stem: str, units: str) -> str | None:
    match = re.search(rf"_({units})$", stem)
    return match[1] if match else None


def _wanted(found: list[_Device], device: str, place: str) -> list[_Device]:
    """Return the columns of the device that is asked for, or all of them."""
    if not found:
        raise ValueError(f"{place}: there are no latencies: expected a column latency_ms, or one for each device")
    fitting = [one for one in found if device in ("", one.name, one.column)]
    if not fitting:
        raise ValueError(f"{place}: there is no device {device!r}; expected {_names(found)}")
    names = [one.name for one in fitting]
    if len(set(names)) < len(names):
        raise ValueError(f"{place}: two columns are of one device; expected names that differ, got {_names(found)}")
    return fitting


def _names(found: Iterable[_Device]) -> str:
    return ", ".join(one.name for one in found)


def _listed(space: SpaceIdentity, genotypes: np.ndarray, latencies_ms: np.ndarray, about: Origin) -> ListedTable:
    ordered = np.empty(len(latencies_ms))
    ordered[space.ranks(genotypes)] = latencies_ms
    return ListedTable(space, about, ordered)
