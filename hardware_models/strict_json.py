"""Documents from outside, read field by field: each value is what it should be, or one line says which is not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

LARGEST_DOCUMENT_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a document and the path to it, e.g. `latency table.entries[3].samples`; readers raise ValueError."""

    value: object
    path: str

    def members(self, required: frozenset[str], optional: frozenset[str] = frozenset()) -> dict[str, Field]:
        """Return the members of an object that has all of `required`, some of `optional` and no others."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        for name in sorted(required - self.value.keys()):
            raise ValueError(f"{self.path}.{name}: is missing")
        for name in sorted(self.value.keys() - required - optional):
            raise ValueError(
                f"{self.path}: unknown field {name[:60]!r}; expected {', '.join(sorted(required | optional))}"
            )
        return {name: Field(value, f"{self.path}.{name}") for name, value in self.value.items()}

    def mapping(self, most: int) -> Iterator[tuple[Field, Field]]:
        """Yield the names and values of an object with at most `most` members of any name."""
        if not isinstance(self.value, dict) or len(self.value) > most:
            self.refuse(f"an object of at most {most} members")
        for name, value in self.value.items():
            yield Field(name, f"{self.path} (a name)"), Field(value, f"{self.path}.{ascii(name)[1:-1][:60]}")

    def items(self, most: int, least: int = 0) -> tuple[Field, ...]:
        """Return the items of a list of `least` to `most`."""
        if not isinstance(self.value, list) or not least <= len(self.value) <= most:
            self.refuse(f"a list of {least} to {most} items")
        return tuple(Field(value, f"{self.path}[{index}]") for index, value in enumerate(self.value))

    def text(self, longest: int = 200) -> str:
        """Return a printable string of 1 to `longest` characters: no control characters reach a terminal or a log."""
        if not isinstance(self.value, str) or not 1 <= len(self.value) <= longest or not self.value.isprintable():
            self.refuse(f"a string of 1 to {longest} printable characters")
        return self.value

    def choice(self, expected: Sequence[str]) -> str:
        """Return one of the expected strings."""
        if not isinstance(self.value, str) or self.value not in expected:
            self.refuse(f"one of {', '.join(expected)}")
        return self.value

    def integer(self, least: int, most: int) -> int:
        """Return an integer within the bounds; true, false and 1.0 are none."""
        if type(self.value) is not int or not least <= self.value <= most:
            self.refuse(f"an integer from {least} to {most}")
        return self.value

    def number(self, least: float = 0.0, most: float = 1e12) -> float:
        """Return a finite number within the bounds as a float."""
        if type(self.value) not in (int, float) or not least <= self.value <= most:  # type: ignore[operator]
            self.refuse(f"a finite number from {least:g} to {most:g}")
        return float(self.value)  # type: ignore[arg-type]

    def time(self) -> str:
        """Return the text of an ISO 8601 time with its offset from UTC, as it stands."""
        text = self.text(40)
        try:
            aware = datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            self.refuse("an ISO 8601 time with its offset, e.g. 2026-01-31T12:00:00+00:00")
        return text

    def boolean(self) -> bool:
        """Return true or false."""
        if type(self.value) is not bool:
            self.refuse("true or false")
        return self.value

    def refuse(self, expected: str) -> NoReturn:
        """Raise the error that names the field, what was expected and what stands there."""
        kinds = {"dict": "an object", "list": "a list"}
        found = kinds.get(type(self.value).__name__) or ascii(self.value)[:60]
        raise ValueError(f"{self.path}: expected {expected}, got {found}")


def parse(text: str | bytes, name: str) -> Field:
    """Return the document as a field called `name`.

    Raises:
      ValueError: for what is not JSON (NaN and infinities are not), an object with a name twice, and documents that are
        too large or too deep.
    """
    if len(text) > LARGEST_DOCUMENT_BYTES:
        raise ValueError(f"{name}: larger than {LARGEST_DOCUMENT_BYTES} bytes")
    try:
        return Field(json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float), name)
    except RecursionError:
        raise ValueError(f"{name}: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{name}: not valid JSON: {str(error)[:200]}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:60]!r} stands twice in one object")
    return found


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:60]} is too large")
    return value
