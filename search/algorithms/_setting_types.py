"""The settings of an algorithm against their annotated types: a wrong one is said when it is given."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a finite number",
    bool: "True or False",
    str: "a text",
    types.NoneType: "None",
}


def check_setting_types(name: str, settings: DataclassInstance) -> None:
    """Raise ValueError for the first field of `name`'s settings whose value is not of its annotated type.

    Lists are good for tuples, as JSON has no others, and whole numbers for floats. What is annotated with anything
    but numbers, texts, sequences and mappings of them is not looked at.
    """
    try:
        hints = get_type_hints(type(settings))
    except NameError:  # annotated with what only a type checker imports
        return
    for field in fields(settings):
        value = getattr(settings, field.name)
        if field.init and not _fits(value, hints[field.name]):
            shown = repr(value)
            shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
            raise ValueError(f"{name}: {field.name} is {shown}: expected {_words(hints[field.name])}")


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return any(_fits(value, one) for one in arguments)
    if hint in {int, float}:
        numbers = int if hint is int else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool) and math.isfinite(value)
    if hint in WORDS:
        return isinstance(value, hint)
    if origin is Mapping:
        return isinstance(value, Mapping)
    if origin in {Sequence, tuple, list}:
        return isinstance(value, Sequence) and not isinstance(value, str) and _items_fit(value, origin, arguments)
    return True


def _items_fit(value: Sequence[Any], origin: Any, arguments: tuple[Any, ...]) -> bool:
    fixed = origin is tuple and bool(arguments) and arguments[-1] is not ...
    each = arguments if fixed else (arguments or (Any,))[:1] * len(value)
    return len(each) == len(value) and all(map(_fits, value, each))


def _words(hint: Any) -> str:
    if get_origin(hint) in {Union, types.UnionType}:
        return " or ".join(_words(one) for one in get_args(hint))
    return WORDS.get(hint, "a mapping" if get_origin(hint) is Mapping else "a list")
