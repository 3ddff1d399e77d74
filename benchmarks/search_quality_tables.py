"""What each algorithm has found after 50, 100 and 200 evaluations of other tables than NAS-Bench-201, beside peers.

    python benchmarks/search_quality_tables.py [--seeds 20] [--slow-seeds 10] [--tasks macro,hpobench/vehicle]
        [--methods predictor,optuna_tpe] [--jobs 1] [--out runs.jsonl]

`macro` is the regret in NAS-Bench-Macro's mean accuracy, in points; `macro_macs` and `macro_params` the hypervolume of
accuracy and cost as a part of the true front's (reference: 10 points below the best accuracy, 1.1 times the front's
largest cost), the cost being known to ours. `hpobench/...` and `hpolib/...` are the regret in a tabular
hyper-parameter benchmark, 0 the best setting and 1 the median one; numbers in order are ordered to all that can make
use of it. A repeated proposal counts as an evaluation. Prints mean +- standard error, and ends with 1 where
`predictor` is behind Optuna's TPE by more than the noise, with 2 where the data are not there.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: small matrices are slower on several threads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import hpo_tasks
import nasbench_macro_tasks
import numpy as np
from search_methods import PEERS, method
from search_runs import Key, Run, completed, line, mean_and_error
from tabular_task import TabularTask

from search.algorithms.registry import algorithm_names

COUNTS = (50, 100, 200)
TASKS: dict[str, Callable[[], TabularTask]] = {
    "macro": nasbench_macro_tasks.task,
    "macro_macs": partial(nasbench_macro_tasks.task, "macs"),
    "macro_params": partial(nasbench_macro_tasks.task, "params"),
    **{name: partial(hpo_tasks.task, name) for name in hpo_tasks.NAMES},
}
USUAL = ("macro", "macro_macs", "hpobench/vehicle", "hpolib/protein_structure", "hpolib/parkinsons_telemonitoring")
LEFT_OUT = ("exhaustive", "optuna", "pyglove")
"""Algorithms of ours that are not compared: what lists, and what lets others propose, who stand for themselves."""

SLOW = ("optuna_tpe", "pyglove_evolution", "pyglove_nsga2")
OWN, RIVAL = "predictor", "optuna_tpe"
NOISE = 2.0
"""How many standard errors of the difference `predictor` may be behind."""


def run(task: str, name: str, seed: int) -> Run:
    """Return what a method makes of a task."""
    given = TASKS[task]()
    began = time.process_time()
    proposed = method(name)[0](given, seed, COUNTS[-1])
    cpu_s = time.process_time() - began
    return Run(task, name, seed, given.measure(proposed, COUNTS), cpu_s)


def plan(options: argparse.Namespace) -> list[Key]:
    """Return all runs, interleaved: every method runs once with a seed before any runs with the next."""
    return [
        (task, name, seed)
        for seed in range(options.seeds)
        for task in options.tasks.split(",")
        for name in options.methods.split(",")
        if TASKS[task]().kind in method(name)[1] and seed < (options.slow_seeds if name in SLOW else options.seeds)
    ]


Table = dict[tuple[str, str], np.ndarray]
"""(task, method) -> what was found, shape (seeds, counts)."""


def report(runs: list[Run]) -> Table:
    """Print a table for each task, and return what they are made of."""
    rows: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for one in runs:
        rows[one.task, one.method].append(one)
    table = {key: np.array([one.found for one in ones]) for key, ones in rows.items()}
    for task in dict.fromkeys(task for task, _ in rows):
        given = TASKS[task]()
        print(f"\n{task}: {'hypervolume, 1 is best' if given.kind == 'multi' else 'regret, 0 is best'}")
        for name in [name for where, name in rows if where == task]:
            cpu_ms = float(np.mean([one.cpu_s for one in rows[task, name]])) / COUNTS[-1] * 1e3
            print(line(name, table[task, name], COUNTS, cpu_ms))
    return table


def misses(table: Table) -> list[str]:
    """Return in words where `predictor` is behind Optuna's TPE by more than the noise."""
    said = []
    for task in dict.fromkeys(task for task, _ in table):
        if not {(task, OWN), (task, RIVAL)} <= table.keys():
            continue
        (own, own_error), (mean, error) = mean_and_error(table[task, OWN]), mean_and_error(table[task, RIVAL])
        behind = (mean - own) * (1 if TASKS[task]().kind == "multi" else -1)
        noise = np.hypot(own_error, error)
        said += [
            f"{task}: {OWN} is {by:.4f} +- {spread:.4f} behind {RIVAL} at {count}"
            for count, by, spread in zip(COUNTS, behind, noise, strict=True)
            if by > NOISE * spread
        ]
    return said


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    own = [name for name in algorithm_names() if name not in LEFT_OUT]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--slow-seeds", type=int, default=10, help=f"of {', '.join(SLOW)}")
    parser.add_argument("--methods", default=",".join((*own, *PEERS)), help="comma-separated names")
    parser.add_argument("--tasks", default=",".join(USUAL), help=f"comma-separated, of {', '.join(TASKS)}")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="a file of every run as JSON lines: what it holds is not run again")
    options = parser.parse_args()
    unknown = [name for name in options.tasks.split(",") if name not in TASKS]
    if unknown:
        parser.error(f"unknown task {unknown[0]!r}; there are {', '.join(TASKS)}")
    return options


def main() -> int:
    """Run, print the tables; return 1 where `predictor` is behind, 2 where the data are missing."""
    options = parse()
    try:
        runs = plan(options)
    except (FileNotFoundError, ModuleNotFoundError) as error:
        print(f"not run: {error}")
        return 2
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "optuna", "pyglove", "pymoo")}
    print(f"Python {platform.python_version()}, {platform.machine()}; {versions}")
    missed = misses(report(completed(runs, run, options.jobs, options.out)))
    print("\n" + ("\n".join(f"MISSED {text}" for text in missed) or f"{OWN} is nowhere behind {RIVAL}"))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
