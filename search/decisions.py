"""A genotype in words: the label of each decision, from the columns that are kept with a study."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

MAX_LABEL = 60
LONG = 12
"""Genotypes longer than this are shown in groups, without the decisions that are not in force."""

OPEN = re.compile(r"\b(?:OneOf|ManyOf|Float)\(")
ITEM = re.compile(r"(?<=[\[ ])\d+: ")
NAMED = re.compile(r"<(?:class|function|built-in (?:function|method)) '?(?:[\w<>]+\.)*(\w+)\b(?!\.).*>$")
LONG_NUMBER = re.compile(r"-?\d+\.\d{5,}(?:e-?\d+)?")
"""How PyGlove writes an open choice, the number of a list's item, a class or function; and a number of many digits."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One column of a space: its name, its choices' labels (none for a float), and the choice that it hangs on."""

    name: str
    choices: tuple[str, ...] = ()
    parent: int = -1
    parent_choice: int = -1

    @property
    def group(self) -> str:
        """The first part of the name, e.g. `stages[0]` of `stages[0].width`."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Decisions:
    """All decisions of a space, in the order of a genotype's columns."""

    columns: tuple[Decision, ...] = ()

    @property
    def names(self) -> str:
        """The decisions' names, or those of their groups, in the order in which `text` gives their values."""
        if len(self.columns) <= LONG:
            return " · ".join(column.name for column in self.columns)
        return " | ".join(group for group, _ in groupby(column.group for column in self.columns))

    def values(self, genotype: Sequence[float]) -> dict[str, str | float]:
        """Return the labels of the decisions in force, by name; a column that is not described gives its number."""
        active = self._active(genotype)
        return {
            self._column(index).name: self._label(index, value) for index, value in enumerate(genotype) if active[index]
        }

    def text(self, genotype: Sequence[float]) -> str:
        """Return the labels in order, "-" where a decision is not in force.

        Long ones leave these out and stand in groups by the first part of their names: "8 · 3 · 6 | 24 · 5 · 4".
        """
        active = self._active(genotype)
        labels = [_short(self._label(index, value)) if active[index] else "-" for index, value in enumerate(genotype)]
        if len(labels) <= LONG:
            return " · ".join(labels)
        groups = groupby(range(len(labels)), key=lambda index: self._column(index).group)
        return " | ".join(" · ".join(labels[index] for index in group if active[index]) for _, group in groups)

    def _column(self, index: int) -> Decision:
        return self.columns[index] if index < len(self.columns) else Decision(f"decision {index}")

    def _label(self, index: int, value: float) -> str | float:
        choices = self._column(index).choices
        return choices[int(value)] if 0 <= int(value) < len(choices) else value

    def _active(self, genotype: Sequence[float]) -> list[bool]:
        active: list[bool] = []
        for index in range(len(genotype)):
            column = self._column(index)
            hangs = 0 <= column.parent < index
            active.append(not hangs or (active[column.parent] and int(genotype[column.parent]) == column.parent_choice))
        return active


def read_decisions(described: object) -> Decisions:
    """Return the decisions that a study's `space["columns"]` describe; none where there is no such list."""
    entries = described if isinstance(described, list) else []
    return Decisions(tuple(_decision(entry) for entry in entries if isinstance(entry, dict)))


def _decision(entry: dict[str, Any]) -> Decision:
    parents = [entry.get("parent", -1), entry.get("parent_choice", -1)]
    parent, choice = (value if isinstance(value, int) else -1 for value in parents)
    return Decision(str(entry.get("name", "?")), labels_of(entry.get("choices")), parent, choice)


def labels_of(choices: object) -> tuple[str, ...]:
    """Return the choices' labels, each as short as it can be told from the others: by its number, where by no text."""
    texts = [_readable(str(label)) for label in choices] if isinstance(choices, list | tuple) else []
    short = [_shortened(text) for text in texts]
    alike: dict[str, set[str]] = {label: set() for label in short}
    for label, text in zip(short, texts, strict=True):
        alike[label].add(text)
    return tuple(
        _told(label, text, alike[label], index) for index, (label, text) in enumerate(zip(short, texts, strict=True))
    )


def _told(label: str, text: str, alike: set[str], index: int) -> str:
    if len(alike) == 1:
        return label
    return text if len({each[:MAX_LABEL] for each in alike}) == len(alike) else f"{label} {index}"


def _readable(text: str) -> str:
    """Return a PyGlove value without a string's quotes, the numbers of a list's items, and what is open below it."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    while found := OPEN.search(text):
        text = text[: found.start()] + "…" + text[_end(text, found.end()) :]
    text = ITEM.sub("", text)
    return text[1:-1] if text[:1] == "{" and len(text) > 2 else text


def _end(text: str, start: int) -> int:
    """Return where the bracket ends in which `start` lies."""
    depth = 1
    for index in range(start, len(text)):
        depth += (text[index] in "([{") - (text[index] in ")]}")
        if not depth:
            return index + 1
    return len(text)


def _shortened(text: str) -> str:
    """Return an object's class for it, a function's or a class's bare name, a number with few digits."""
    if found := NAMED.match(text):
        return found.group(1)
    name, bracket, _ = text.partition("(")
    if bracket and name.isidentifier():
        return name
    return f"{float(text):.4g}" if LONG_NUMBER.fullmatch(text) else text


def _short(label: str | float) -> str:
    return f"{label:.4g}" if isinstance(label, float) else str(label)[:MAX_LABEL]
