"""By what a preparation is known: a hash of all that decides its result, so that studies share what is equal."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
"""Grows when equal settings have to give another key."""

READ = 1 << 20


def made_from(preparation: Any, fingerprint: str, seed: int, costs: Any = None) -> dict[str, Any]:
    """Return all that decides a preparation's result, as plain JSON values.

    That is its kind, its class, its fields but those that are not compared, the space's fingerprint, the seed, and of
    the costs, which have a `metric`, a `constant` and `terms`, what they are of and a hash of their numbers.
    Raises ValueError for a field by whose value equal ones cannot be told.
    """
    numbers = [] if costs is None else [np.asarray([costs.constant]), *costs.terms]
    return {
        "format": FORMAT,
        "kind": preparation.kind,
        "settings": _plain(preparation, preparation.kind),
        "space": fingerprint,
        "seed": seed,
        "cost": None if costs is None else costs.metric,
        "costs": None if costs is None else [_digest(each) for each in numbers],
    }


def key_of(made: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of what `made_from` says."""
    return sha256(json.dumps(made, sort_keys=True, allow_nan=False).encode()).hexdigest()


def digest_of(folder: Path, leave_out: str) -> str:
    """Return the SHA-256, in hex, of a folder's files, their names with them, but those of the name `leave_out`."""
    found = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != leave_out):
        found.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while part := file.read(READ):
                found.update(part)
    return found.hexdigest()


def _plain(value: Any, name: str) -> Any:
    """Return a setting as plain JSON values; raise ValueError where that would not tell equal ones."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if field.compare]
        return {"class": type(value).__qualname__, **{each: _plain(getattr(value, each), each) for each in fields}}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{name}[{key!r}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in value]
    return _text(value, name)


def _text(value: Any, name: str) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else repr(value)
    if isinstance(value, np.ndarray):
        return _digest(value)
    if isinstance(value, Path):
        return str(value)
    if callable(value) and "<" not in getattr(value, "__qualname__", "<"):
        return f"{value.__module__}.{value.__qualname__}"
    raise ValueError(
        f"the preparation's {name} is {str(value)[:80]}: expected plain values, dataclasses of them, or functions and "
        f"classes by name, so that equal preparations can be told"
    )


def _digest(array: np.ndarray) -> str:
    return sha256(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()).hexdigest()
