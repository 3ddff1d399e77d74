"""The canonical text of a symbolic value and its SHA-256, equal in every process that holds an equal value."""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterable
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import pyglove as pg

PLAIN = (str, int, float, complex, bool, bytes, type(None), type(Ellipsis))


def fingerprint(value: Any, column_names: Iterable[str]) -> str:
    """Return the SHA-256, in hex, of the canonical text of `value` and of the order of its columns.

    Keys are sorted, so that the order of a dict's constants does not matter; the order of decisions does, since stored
    genotypes depend on it, and enters by `column_names`.
    """
    text = "\n".join([_text(value, ()), *column_names])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _text(value: Any, above: tuple[int, ...]) -> str:
    """Return a text that differs where values differ; `above` holds the ids of the containers around `value`."""
    if type(value) in PLAIN:
        return f"{type(value).__name__}:{_without_addresses(repr(value))}"
    if id(value) in above:
        return f"cycle:{len(above) - above.index(id(value))}"
    inside = (*above, id(value))
    for kind, describe in _DESCRIPTIONS:
        if isinstance(value, kind):
            return str(describe(value, inside))
    return _opaque_text(value, inside)


def _named(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _items_text(name: str, items: Iterable[tuple[Any, Any]], above: tuple[int, ...]) -> str:
    parts = sorted(f"{_text(key, above)}={_text(item, above)}" for key, item in items)
    return f"{name}({','.join(parts)})"


def _sequence_text(value: Any, above: tuple[int, ...]) -> str:
    name = "list" if isinstance(value, list) else type(value).__name__
    items = value.sym_values() if isinstance(value, pg.List) else value
    return f"{name}[{','.join(_text(item, above) for item in items)}]"


def _dict_text(value: Any, above: tuple[int, ...]) -> str:
    return _items_text("dict", value.sym_items() if isinstance(value, pg.Dict) else value.items(), above)


def _set_text(value: Any, above: tuple[int, ...]) -> str:
    return f"set{{{','.join(sorted(_text(item, above) for item in value))}}}"


def _array_text(value: np.ndarray, above: tuple[int, ...]) -> str:
    if value.dtype.hasobject:
        return f"array:{value.shape}{_sequence_text(value.ravel().tolist(), above)}"
    return f"array:{value.dtype.str}:{value.shape}:{hashlib.sha256(value.tobytes()).hexdigest()}"


def _function_text(value: FunctionType, above: tuple[int, ...]) -> str:
    """Return a function's name; with its code and what it closes over where the name does not identify it."""
    name = f"function:{_named(value)}"
    if "<" not in value.__qualname__:
        return name
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    bound = [value.__defaults__, value.__kwdefaults__, cells]
    return f"{name}:{_code_text(value.__code__, above)}:{_text(bound, above)}"


def _code_text(code: CodeType, above: tuple[int, ...]) -> str:
    constants = [
        _code_text(item, above) if isinstance(item, CodeType) else _text(item, above) for item in code.co_consts
    ]
    return f"{code.co_code.hex()}:{code.co_names}:{','.join(constants)}"


def _opaque_text(value: Any, above: tuple[int, ...]) -> str:
    """Return the class and the state of an object; the text it prints, without addresses, where it shows no state.

    An object that has a text `space_identity` says itself what tells it from others.
    """
    if isinstance(getattr(value, "space_identity", None), str):
        return f"{_named(type(value))}:{value.space_identity}"
    if hasattr(value, "__array__"):
        return f"{_named(type(value))}:{_array_text(np.asarray(getattr(value, 'detach', lambda: value)()), above)}"
    state = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        names = kind.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if hasattr(value, name) and not name.startswith("__"):
                state[name] = getattr(value, name)
    name = f"object:{_named(type(value))}"
    if state:
        return _items_text(name, state.items(), above)
    return f"{name}:{_without_addresses(repr(value))}"


def _without_addresses(text: str) -> str:
    """Return `text` without what differs between processes; PyGlove's labels of candidates hold such texts too."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


_DESCRIPTIONS: tuple[tuple[Any, Any], ...] = (
    (type, lambda value, _above: f"type:{_named(value)}"),
    (pg.KeyPath, lambda value, _above: f"path:{value}"),
    (enum.Enum, lambda value, _above: f"enum:{_named(type(value))}.{value.name}"),
    ((list, tuple), _sequence_text),
    (dict, _dict_text),
    (pg.Symbolic, lambda value, above: _items_text(f"symbolic:{_named(type(value))}", value.sym_items(), above)),
    ((set, frozenset), _set_text),
    (np.ndarray, _array_text),
    (np.generic, lambda value, _above: f"number:{value.dtype.str}:{value!r}"),
    (FunctionType, _function_text),
)
