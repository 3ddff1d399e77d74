"""A table of your own as an evaluator: a CSV file of scored choices, such as all widths of a network's layers."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from evaluators.table import Table

Choices = Mapping[str, Sequence[int | float | str]]
"""What each decision may be, by the column's name, in the order of the space's decisions."""


def csv_table(path: str | Path, choices: Choices, metrics: Sequence[str] = ("accuracy",)) -> Table:
    """Return the evaluator of `pg.Dict({name: pg.oneof(list(of)) for name, of in choices.items()})`.

    The file's first line names its columns: one for each decision, one for each metric, any others. A choice without a
    row, and an empty number, is infeasible.

    Args:
      path: of the file; it is read when the first candidate is scored.
      choices: of each decision; numbers are compared as numbers, so that 8 and 8.0 are the same.
      metrics: the columns that the evaluator yields.
    """
    named = {name: tuple(of) for name, of in choices.items()}
    return Table(partial(read_csv_table, Path(path), named, tuple(metrics)), tuple(metrics))


def read_csv_table(path: Path, choices: Choices, metrics: Sequence[str]) -> dict[str, np.ndarray]:
    """Return each metric as an array with one axis a decision, NaN where the file says nothing.

    Raises:
      ValueError: for a missing column, a choice that the decision does not have, what is no number, and a choice that
        stands there twice; the message names file and line.
      FileNotFoundError: without the file.
    """
    places = [{_key(choice): place for place, choice in enumerate(of)} for of in choices.values()]
    tables = {metric: np.full([len(each) for each in places], np.nan) for metric in metrics}
    known = np.zeros([len(each) for each in places], bool)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = [name for name in (*choices, *metrics) if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"{path} has no column {missing[0]!r}; it has {', '.join(rows.fieldnames or ())}")
        for row in rows:
            at = tuple(
                _place(path, rows.line_num, name, row[name], of) for name, of in zip(choices, places, strict=True)
            )
            if known[at]:
                raise ValueError(f"{path}, line {rows.line_num}: {[row[name] for name in choices]} stands there twice")
            known[at] = True
            for metric in metrics:
                tables[metric][at] = _number(path, rows.line_num, metric, row[metric])
    return tables


def _key(choice: object) -> str:
    """Return what tells choices apart: a number's value, or the text."""
    try:
        return repr(float(str(choice)))
    except ValueError:
        return str(choice).strip()


def _place(path: Path, line: int, name: str, text: str | None, places: Mapping[str, int]) -> int:
    if _key(text) not in places:
        raise ValueError(f"{path}, line {line}: {name} is {text!r}; expected one of {', '.join(places)}")
    return places[_key(text)]


def _number(path: Path, line: int, metric: str, text: str | None) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise ValueError(f"{path}, line {line}: {metric} is {text!r}; expected a number") from None
