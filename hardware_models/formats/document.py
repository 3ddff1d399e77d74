"""The project's own JSON document of any kind of table, as `devices export NAME FILE.json` writes it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hardware_models.documents import DeviceModel, load_model
from hardware_models.latency_table import LatencyTable
from hardware_models.text_file import read_text

_HEAD = re.compile(r'\s*\{\s*"(schema|format)"\s*:')


def recognises(head: str) -> bool:
    """Return whether a file that begins like this is of this format."""
    return _HEAD.match(head) is not None


def read(path: Path, *, device: str = "") -> list[DeviceModel]:
    """Return the model, under the name `device` if one is given. Raises ValueError with the file and the field."""
    try:
        model = load_model(read_text(path))
    except ValueError as error:
        raise ValueError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    return [renamed(model, device) if device else model]


def renamed(model: DeviceModel, device: str) -> DeviceModel:
    """Return the same model of a device that is called otherwise."""
    if isinstance(model, LatencyTable):
        return replace(model, provenance=replace(model.provenance, device=device))
    return replace(model, origin=replace(model.origin, device=device))
