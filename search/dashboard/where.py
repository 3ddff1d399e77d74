"""Filters: `accuracy > 90 and edge_01 == "skip_connect"`, read by a grammar of their own into a mask of trials.

    filter     := all ("or" all)*
    all        := one ("and" one)*
    one        := "not" one | "(" filter ")" | NAME [comparison]
    comparison := ("==" | "!=" | "<" | "<=" | ">" | ">=" | "contains") VALUE | "in" "[" VALUE ("," VALUE)* "]"

NAME is a column's, in backquotes where it has other characters than letters, digits and _ . : @ / [ ]; alone it says
that the trial has a value there (for `front`, that it is on it). VALUE is a number or a text in quotes. A value that a
trial lacks meets no comparison. Nothing of an expression is executed, here or in the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from search.dashboard.named_columns import Column
from search.dashboard.refusal import bad_request

LONGEST = 2000
DEEPEST = 40
TOKEN = re.compile(
    r"""\s*(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![A-Za-z_])
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<quoted>`[^`]+`)
    |(?P<name>[A-Za-z_][A-Za-z0-9_.:@/]*(?:\[\d+\][A-Za-z0-9_.:@/]*)*)
    |(?P<sign>==|!=|<=|>=|=|<|>|\(|\)|\[|\]|,))""",
    re.VERBOSE,
)
ORDER = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
WORDS = ("and", "or", "not", "in", "contains")

Find = Callable[[str], Column]
Value = float | str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression: of kind `number`, `text`, `name`, `sign` or `word`, and where it stands."""

    kind: str
    text: str
    at: int


def matching(expression: str, count: int, find: Find) -> np.ndarray:
    """Return which of `count` trials an expression is true of: shape (n,), bool; all for an empty one.

    Raises Refusal for what is not understood, with the place.
    """
    if len(expression) > LONGEST:
        raise bad_request(f"the filter has {len(expression)} characters: expected at most {LONGEST}")
    tokens = _tokens(expression)
    if not tokens:
        return np.ones(count, bool)
    reader = _Reader(tokens, find)
    found = reader.either(0)
    reader.end()
    return found


def _tokens(expression: str) -> list[Token]:
    tokens, at, end = [], 0, len(expression.rstrip())
    while at < end:
        match = TOKEN.match(expression, at)
        if match is None:
            raise bad_request(f"filter: {expression[at : at + 20].strip()!r} at {at} is not understood")
        kind = str(match.lastgroup)
        text = match[kind]
        if kind in ("text", "quoted"):
            text = text[1:-1]
        elif kind == "name" and text.lower() in WORDS:
            kind, text = "word", text.lower()
        tokens.append(Token("name" if kind == "quoted" else kind, text, match.start(str(match.lastgroup))))
        at = match.end()
    return tokens


class _Reader:
    """Reads tokens one after another, and makes masks of them."""

    def __init__(self, tokens: list[Token], find: Find) -> None:
        self._tokens, self._find, self._next = tokens, find, 0

    def either(self, depth: int) -> np.ndarray:
        if depth > DEEPEST:
            raise bad_request(f"filter: more than {DEEPEST} brackets or `not` are one in another")
        found = self._every(depth)
        while self._took("word", "or"):
            found = found | self._every(depth)
        return found

    def end(self) -> None:
        if self._next < len(self._tokens):
            raise self._wrong("`and`, `or` or the end")

    def _every(self, depth: int) -> np.ndarray:
        found = self._one(depth)
        while self._took("word", "and"):
            found = found & self._one(depth)
        return found

    def _one(self, depth: int) -> np.ndarray:
        if self._took("word", "not"):
            if depth > DEEPEST:
                raise bad_request(f"filter: more than {DEEPEST} brackets or `not` are one in another")
            return ~self._one(depth + 1)
        if self._took("sign", "("):
            found = self.either(depth + 1)
            self._expect("sign", ")")
            return found
        return self._comparison(self._find(self._expect("name").text))

    def _comparison(self, column: Column) -> np.ndarray:
        if self._took("word", "in"):
            return self._among(column)
        if self._took("word", "contains"):
            return _containing(column, self._expect("text").text)
        for sign in ("==", "=", "!=", *ORDER):
            if self._took("sign", sign):
                return _compared(column, "==" if sign == "=" else sign, self._value())
        given: np.ndarray = column.values if column.values.dtype.kind == "b" else column.has()
        return given

    def _among(self, column: Column) -> np.ndarray:
        self._expect("sign", "[")
        found = _compared(column, "==", self._value())
        while self._took("sign", ","):
            found = found | _compared(column, "==", self._value())
        self._expect("sign", "]")
        return found

    def _value(self) -> Value:
        token = self._peek()
        if token is None or token.kind not in ("number", "text"):
            raise self._wrong('a number or a text in quotes, e.g. "COMPLETED"')
        self._next += 1
        return float(token.text) if token.kind == "number" else token.text

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _took(self, kind: str, text: str) -> bool:
        token = self._peek()
        took = token is not None and (token.kind, token.text) == (kind, text)
        self._next += took
        return took

    def _expect(self, kind: str, text: str | None = None) -> Token:
        token = self._peek()
        if token is None or token.kind != kind or (text is not None and token.text != text):
            raise self._wrong(f"`{text}`" if text else {"name": "a column's name"}.get(kind, f"a {kind}"))
        self._next += 1
        return token

    def _wrong(self, expected: str) -> Exception:
        token = self._peek()
        found = f"found {token.text[:40]!r} at {token.at}" if token else "it ends there"
        return bad_request(f"filter: expected {expected}; {found}")


def _compared(column: Column, sign: str, value: Value) -> np.ndarray:
    values: np.ndarray = column.values
    if column.labels is not None:
        if isinstance(value, str):
            return _labelled(column, sign, value)
        values = _numbers(column.labels)[column.values] if len(column.labels) else np.zeros(len(values))
    elif isinstance(value, str):
        raise bad_request(f"filter: {column.name!r} is a number, and is compared with the text {value[:40]!r}")
    known = column.has() & ~np.isnan(values)
    if sign in ("==", "!="):
        found: np.ndarray = known & ((values == value) == (sign == "=="))
    else:
        found = known & ORDER[sign](values, value)
    return found


def _labelled(column: Column, sign: str, value: str) -> np.ndarray:
    if sign in ORDER:
        raise bad_request(f"filter: {column.name!r} is a text: compare it with == or !=")
    same = [label.casefold() == value.casefold() for label in column.labels or ()]
    found: np.ndarray = column.has() & (_picked(column, same) == (sign == "=="))
    return found


def _containing(column: Column, part: str) -> np.ndarray:
    if column.labels is None:
        raise bad_request(f"filter: {column.name!r} is a number, and contains no text")
    found: np.ndarray = column.has() & _picked(column, [part.casefold() in label.casefold() for label in column.labels])
    return found


def _picked(column: Column, labels: list[bool]) -> np.ndarray:
    found: np.ndarray = np.array(labels, bool)[column.values] if labels else np.zeros(len(column.values), bool)
    return found


def _numbers(labels: tuple[str, ...]) -> np.ndarray:
    """Return labels as numbers, NaN for those that are none."""
    return np.array([_number(label) for label in labels], np.float64)


def _number(label: str) -> float:
    try:
        return float(label)
    except ValueError:
        return float("nan")
