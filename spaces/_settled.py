"""Which values PyGlove would leave as they are when it converts them to a field's specification."""

from __future__ import annotations

import enum
from types import FunctionType
from typing import Any

import pyglove as pg

SHARED = (int, float, complex, bool, str, bytes, type(None), type, enum.Enum, FunctionType)
"""Leaves that never change, which all decoded values may hold in common."""

SIMPLE = (pg.typing.Bool, pg.typing.Int, pg.typing.Float, pg.typing.Str, pg.typing.Enum, pg.typing.Any)
"""Specifications that convert a leaf to nothing but a leaf."""


def _transforms(spec: Any) -> bool:
    return spec.transform is not None or spec.frozen


def takes_anything(spec: Any) -> bool:
    """Return whether every value stays as it is. `spec` None is a place without a field."""
    return spec is None or (type(spec) is pg.typing.Any and not _transforms(spec))


def keeps_float(spec: Any) -> bool:
    """Return whether any float within the field's bounds stays as it is."""
    return takes_anything(spec) or (type(spec) is pg.typing.Float and not _transforms(spec))


def keeps_list(spec: Any) -> bool:
    """Return whether a list of settled elements is settled once it is bound to `spec`."""
    if takes_anything(spec):
        return True
    return type(spec) is pg.typing.List and not _transforms(spec) and spec.min_size == 0 and spec.max_size is None


def element_spec(spec: Any) -> Any:
    """Return what a list's elements are converted to, None if to nothing or if that is not known."""
    return spec.element.value if type(spec) is pg.typing.List else None


def keeps_object(spec: Any, value: pg.Object) -> bool:
    """Return whether the object `value` stays as it is."""
    if takes_anything(spec):
        return True
    if isinstance(value, pg.typing.CustomTyping) or _transforms(spec):
        return False
    if type(spec) is pg.typing.Union:
        return any(keeps_object(candidate, value) for candidate in spec.candidates)
    return type(spec) is pg.typing.Object and spec.type_resolved and isinstance(value, spec.cls)


def settled_leaf(spec: Any, value: Any) -> tuple[Any, bool]:
    """Return what the field makes of a leaf, True; or the leaf itself, False, where that is known later."""
    if spec is None:
        return value, True
    if type(spec) not in SIMPLE or _transforms(spec):
        return value, False
    try:
        applied = spec.apply(value)
    except (TypeError, ValueError):
        return value, False
    return (applied, True) if isinstance(applied, SHARED) else (value, False)
