"""Device sheets: the peak figures that a vendor publishes of a device, one TOML file each in `device_sheets/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hardware_models.op import DTYPE_BYTES
from hardware_models.strict_json import Field

FOLDER = Path(__file__).parent / "device_sheets"

_REQUIRED = frozenset({"name", "source", "peak_tflops"})
_OPTIONAL = frozenset({"bandwidth_gb_s", "overhead_us"})


@dataclass(frozen=True, slots=True)
class DeviceSheet:
    """What is published of a device.

    Attributes:
      id: short, the file's name without its suffix, e.g. `a100`.
      name: for people.
      source: the documents that the figures stand in.
      peak_tflops: 10^12 operations a second at best, by dtype; a multiply-accumulate is two.
      bandwidth_gb_s: 10^9 bytes a second to and from its memory at best; None where it is not published.
      overhead_us: microseconds to start one operator; 0 where it is not published.
    """

    id: str
    name: str
    source: str
    peak_tflops: Mapping[str, float]
    bandwidth_gb_s: float | None = None
    overhead_us: float = 0.0


def sheet_names() -> tuple[str, ...]:
    """Return the ids of the sheets that come with the package, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def device_sheet(name: str) -> DeviceSheet:
    """Return the sheet of this id.

    Raises:
      ValueError: for an unknown id.
    """
    if name not in sheet_names():
        raise ValueError(
            f"there is no device sheet {name!r}; expected one of {', '.join(sheet_names())}, "
            "or read a file of your own by read_sheet"
        )
    return read_sheet(FOLDER / f"{name}.toml")


def read_sheet(path: str | Path) -> DeviceSheet:
    """Return the sheet in a TOML file.

    Raises:
      OSError: where the file cannot be read.
      ValueError: for anything but a sheet; one line that names the field.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid TOML: {error}") from None
    members = Field(document, str(path)).members(_REQUIRED, _OPTIONAL)
    numbers = {name: members[name].number(1e-9 if name == "bandwidth_gb_s" else 0) for name in _OPTIONAL & set(members)}
    return DeviceSheet(
        path.stem, members["name"].text(), members["source"].text(1000), _peaks(members["peak_tflops"]), **numbers
    )


def _peaks(field: Field) -> dict[str, float]:
    peaks = {dtype: peak.number(1e-9) for dtype, peak in field.members(frozenset(), frozenset(DTYPE_BYTES)).items()}
    if not peaks:
        field.refuse(f"a peak for at least one of {', '.join(DTYPE_BYTES)}")
    return peaks
