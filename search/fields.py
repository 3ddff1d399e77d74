"""Reading documents from outside, field by field: everything is checked, nothing is run, no field is left over."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

Json = Any
"""What `json.loads` gives."""


def parse_json(text: str) -> Json:
    """Return a JSON document's value. Raises ValueError, also for NaN, repeated keys and what is nested too deep."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_mapping)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}: expected finite numbers")


def _mapping(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it holds a key twice")
    return found


class Fields:
    """The fields of one JSON object. Each is taken once; `done` refuses those that nobody took.

    Every method raises ValueError that names the field, what it holds and what was expected.
    """

    def __init__(self, value: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{where} is {shown(value)}: expected an object")
        self._left = dict(value)
        self._where = where

    def take(self, name: str) -> Json:
        """Return a field as it is."""
        if name not in self._left:
            raise ValueError(f"{self._where} has no field {name!r}")
        return self._left.pop(name)

    def text(self, name: str, limit: int, pattern: re.Pattern[str] | None = None) -> str:
        """Return a text of at most `limit` characters, without NUL, that fits `pattern`."""
        value = self.take(name)
        if not isinstance(value, str) or len(value) > limit or "\0" in value or not _encodable(value):
            self._refuse(name, value, f"a text of at most {limit} characters")
        if pattern is not None and not pattern.fullmatch(value):
            self._refuse(name, value, f"a text like {pattern.pattern}")
        return value

    def choice(self, name: str, choices: Collection[str]) -> str:
        """Return one of several texts."""
        value = self.take(name)
        if not isinstance(value, str) or value not in choices:
            self._refuse(name, value, f"one of {', '.join(choices)}")
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        """Return an integer within bounds."""
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._refuse(name, value, f"an integer from {least} to {most}")
        return value

    def number(self, name: str) -> float:
        """Return a finite number."""
        return check_float(self.take(name), f"field {name!r} of {self._where}")

    def optional_number(self, name: str) -> float | None:
        """Return a finite number or None."""
        value = self.take(name)
        return None if value is None else check_float(value, f"field {name!r} of {self._where}")

    def list(self, name: str, limit: int) -> list[Json]:
        """Return a list of at most `limit` items."""
        value = self.take(name)
        if not isinstance(value, list) or len(value) > limit:
            self._refuse(name, value, f"a list of at most {limit} items")
        return value

    def object(self, name: str) -> dict[str, Json]:
        """Return an object of whatever fields."""
        value = self.take(name)
        if not isinstance(value, dict):
            self._refuse(name, value, "an object")
        return value

    def inner(self, name: str) -> Fields:
        """Return an object's fields, to be checked in their turn."""
        return Fields(self.take(name), f"field {name!r} of {self._where}")

    def done(self) -> None:
        """Refuse fields that are not known."""
        if self._left:
            raise ValueError(f"{self._where} has an unknown field {sorted(self._left)[0]!r:.80}")

    def _refuse(self, name: str, value: Json, expected: str) -> NoReturn:
        raise ValueError(f"field {name!r} of {self._where} is {shown(value)}: expected {expected}")


def check_float(value: Json, what: str) -> float:
    """Return `value` if it is a finite number, as a float; raise ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} is {shown(value)}: expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} is {shown(value)}: expected a finite number")
    return number


def shown(value: Json) -> str:
    """Return a JSON value as a message may show it."""
    if isinstance(value, Mapping | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return "an integer of more than 64 bits"
    return repr(value)[:80]


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True
