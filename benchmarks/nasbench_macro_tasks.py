"""Searches of NAS-Bench-Macro (Su et al., CVPR 2021): eight layers of three blocks, each of 6,561 networks trained.

The data folder `../shared/data` lies beside the checkout and is no part of it.
"""

from __future__ import annotations

import csv
import gzip
from functools import cache
from pathlib import Path

import numpy as np
from tabular_task import TabularTask

from spaces.nasbench_macro import nasbench_macro

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "nasbench_macro"
SHAPE = (3,) * 8


@cache
def task(cost: str = "") -> TabularTask:
    """Return the search for the mean test accuracy of three trainings in percent; with `cost`, for both.

    `cost` is `macs` or `params`. Raises FileNotFoundError, saying what is missing, where there are no data.
    """
    accuracy = _column("mean_acc")
    if not cost:
        return TabularTask("single", nasbench_macro, SHAPE, accuracy)
    return TabularTask("multi", nasbench_macro, SHAPE, accuracy, _column(cost))


@cache
def _column(column: str) -> np.ndarray:
    values = np.full(int(np.prod(SHAPE)), np.nan)
    with gzip.open(FOLDER / "nasbench_macro_cifar10.csv.gz", "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            values[int(row["arch"], 3)] = float(row[column])
    return values
