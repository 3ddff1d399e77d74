"""Where a command prints: tables for people, one JSON document for programs, notes on stderr."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

SCHEMA_VERSION = 1
"""Of the JSON documents; grows when a key's meaning changes."""


SCRAP = 10
"""Characters to which a column of text is narrowed at most."""

WORD = 24
"""The longest word that is kept whole where there is room."""

LONG, LINES = 40, 4
"""A text of more than `LONG` characters that would take more than `LINES` lines in its column stands below its row."""


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
        if self.rich and _fit(columns, rows, title, shutil.get_terminal_size().columns):
            return
        if title:
            click.echo(title)
        for text in plain_table(columns, rows):
            click.echo(text)


def _fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str, width: int) -> bool:
    """Print a table on a terminal of `width` characters and return True; False where it would be broken into scraps.

    A long text in the last column, which would take many lines there, stands below its row instead.
    """
    whole, least = least_widths(columns, rows, WORD), least_widths(columns, rows)
    last = max((len(row[-1]) for row in rows), default=0)
    room = width - sum(whole[:-1]) - 3 * len(whole)
    if room >= whole[-1] and last <= LINES * room:
        rich_table(columns, rows, title, whole)
    elif last > LONG and not columns[-1].numeric:
        stacked_table(columns, rows, title, width)
    elif sum(least) + 3 * len(least) <= width:
        rich_table(columns, rows, title, least)
    else:
        return False
    return True


def stacked_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str, width: int) -> None:
    """Print a table whose last column, of long texts, stands below each row in the whole width."""
    if title:
        click.echo(title)
    columns, heads = columns[:-1], [row[:-1] for row in rows]
    folded = [textwrap.wrap(c.heading, w) for c, w in zip(columns, least_widths(columns, heads, WORD), strict=True)]
    height = max(map(len, folded))
    headings = [[([""] * height + lines)[index - height] for lines in folded] for index in range(height)]
    _, *lines = plain_table([Column("", column.numeric) for column in columns], [*headings, *heads])
    for line in lines[:height]:
        click.echo(line)
    for line, row in zip(lines[height:], rows, strict=True):
        click.echo(line)
        click.echo(textwrap.fill(row[-1], width, initial_indent="    ", subsequent_indent="    "))


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


def least_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], word: int = 0) -> list[int]:
    """Return how wide each column is at the least: a number is never broken, nor is a text into scraps.

    Words, those of headings too, are kept whole where they have at most `word` characters.
    """
    widths = []
    for index, column in enumerate(columns):
        cells = [row[index] for row in rows]
        longest = max(map(len, cells), default=0)
        words = [len(part) for text in (column.heading, *cells) for part in text.split() if len(part) <= word]
        widths.append(max(longest if column.numeric else min(longest, SCRAP), *words, 0))
    return widths


def rich_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str, least: Sequence[int]) -> None:
    """Print a table in the terminal's width with rich; headings and texts are folded down to the least widths."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    natural = sum(max(len(cell) for cell in cells) for cells in zip([c.heading for c in columns], *rows, strict=True))
    narrow = natural + 3 * len(columns) > console.width
    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for column, width in zip(columns, least, strict=True):
        most = width if narrow and column.numeric else None  # its heading is folded, and texts have the room
        justify: Any = "right" if column.numeric else "left"
        table.add_column(Text(column.heading), justify=justify, overflow="fold", min_width=width, max_width=most)
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    console.print(table)


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
