"""Where a command prints: tables for people, one JSON document for programs, notes on stderr."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

SCHEMA_VERSION = 1
"""Of the JSON documents; grows when a key's meaning changes."""


SCRAP = 10
"""Characters to which a column of text is narrowed at most."""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column: its heading, and whether it holds numbers, which stand right-aligned."""

    heading: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A command's output.

    Attributes:
      json: a single JSON document goes to stdout; everything for people is left out.
      plain: no colours and no control codes even on a terminal.
    """

    json: bool = False
    plain: bool = False

    @property
    def rich(self) -> bool:
        """Whether stdout is a terminal that wants colours."""
        return not self.plain and sys.stdout.isatty()

    @property
    def live(self) -> bool:
        """Whether stderr is a terminal on which a progress line may be redrawn."""
        return not self.plain and sys.stderr.isatty()

    def document(self, content: Mapping[str, Any]) -> None:
        """Print the JSON document, if one was asked for. NaN and infinity become null; NumPy's numbers plain ones."""
        if self.json:
            click.echo(
                json.dumps({"schema_version": SCHEMA_VERSION, **_plain_value(content)}, indent=2, allow_nan=False)
            )

    def line(self, text: str = "") -> None:
        """Print one line for people on stdout."""
        if not self.json:
            click.echo(text)

    def note(self, text: str) -> None:
        """Print one line of progress or explanation on stderr."""
        click.echo(text, err=True)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Print a table for people on stdout; without a terminal as aligned plain text, never cut off."""
        if self.json:
            return
        least = least_widths(columns, rows)
        if self.rich and sum(least) + 3 * len(least) <= shutil.get_terminal_size().columns:
            rich_table(columns, rows, title, least)
            return
        if title:
            click.echo(title)
        for text in plain_table(columns, rows):
            click.echo(text)


def plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines as aligned plain text, the headings first."""
    cells = [[column.heading for column in columns], *rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = []
    for row in cells:
        parts = [
            text.rjust(width) if column.numeric else text.ljust(width)
            for text, width, column in zip(row, widths, columns, strict=True)
        ]
        lines.append("  ".join(parts).rstrip())
    return lines


def least_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide each column is at the least: a number is never broken, nor is a text into scraps."""
    longest = [max((len(row[index]) for row in rows), default=0) for index in range(len(columns))]
    return [width if column.numeric else min(width, SCRAP) for width, column in zip(longest, columns, strict=True)]


def rich_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str, least: Sequence[int]) -> None:
    """Print a table in the terminal's width with rich; headings and texts are folded down to the least widths."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for column, width in zip(columns, least, strict=True):
        table.add_column(
            Text(column.heading), justify="right" if column.numeric else "left", overflow="fold", min_width=width
        )
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    Console().print(table)


def _plain_value(value: Any) -> Any:
    """Return `value` as JSON holds it: mappings, lists, strings, finite numbers, None."""
    if isinstance(value, Mapping):
        return {str(key): _plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain_value(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain_value(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | bool | int) else str(value)
