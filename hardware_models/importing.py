"""Reading latency tables from outside: formats found by their modules' names, or told by a file's first lines."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hardware_models.documents import DeviceModel
from hardware_models.space_identity import SpaceIdentity
from hardware_models.text_file import read_text

FOLDER = Path(__file__).parent / "formats"
_COMMENTS = re.compile(r"\A(#[^\n]*\n)*")
HEAD = 4096
"""How many characters of a file a format is told by."""


def formats() -> dict[str, str]:
    """Return what each format is in a line, by name. Nothing is imported: descriptions are the files' opening lines."""
    found = {}
    for path in sorted(FOLDER.glob("[!_]*.py")):
        found[path.stem] = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
    return found


def read_devices(
    path: Path,
    format_name: str | None = None,
    *,
    device: str = "",
    space: SpaceIdentity | None = None,
    unit: str | None = None,
) -> list[DeviceModel]:
    """Return the models that a file holds: one, or one for each device.

    Args:
      format_name: of `formats()`; None to tell it by the file's first lines.
      device: what the device is called; where a file has several, the one that is wanted.
      space: whose genotypes the file's architectures are, for formats that hold architectures.
      unit: of latencies in a file that does not say it: `s`, `ms`, `us` or `ns`.

    Raises:
      ValueError: for an unknown format, a file that is of none or of several, and anything wrong in it.
      OSError: where it cannot be read.
    """
    module = _module(format_name) if format_name else _told(path)
    wanted = inspect.signature(module.read).parameters
    offered: dict[str, Any] = {"device": device, "space": space, "unit": unit}
    name = module.__name__.rpartition(".")[2]
    for unused in (each for each, value in offered.items() if value and each not in wanted):
        raise ValueError(f"{path}: --{unused} says nothing to the format {name}: leave it out")
    models: list[DeviceModel] = module.read(path, **{name: offered[name] for name in wanted if name in offered})
    return models


def _module(name: str) -> ModuleType:
    if name not in formats():
        raise ValueError(f"unknown format {name!r}: expected {', '.join(formats())}")
    return import_module(f"hardware_models.formats.{name}")


def _told(path: Path) -> ModuleType:
    """Return the only format that recognises the file's head."""
    head = _COMMENTS.sub("", read_text(path))[:HEAD]
    modules = [_module(name) for name in formats()]
    fitting = [module for module in modules if getattr(module, "recognises", lambda _: False)(head)]
    if len(fitting) != 1:
        names = [module.__name__.rpartition(".")[2] for module in fitting or modules]
        told = "could be of several formats" if fitting else "is of no format that can be told by its first lines"
        raise ValueError(f"{path} {told}: name it with --format: {', '.join(names)}")
    return fitting[0]
