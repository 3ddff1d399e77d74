"""What each algorithm has found after 50, 100, 200 and 500 evaluations of NAS-Bench-201, beside peers as installed.

    python benchmarks/search_quality.py [--seeds 20] [--methods predictor,local_search,optuna_tpe] [--jobs 1]

Three kinds of task: `multi` is the hypervolume of accuracy and latency as a part of the true front's (six pairs of
data set and device), `single` the regret in accuracy (two data sets), `capped` the regret under a latency cap (six
pairs). Methods run in turn, seed by seed; a repeated proposal counts as an evaluation. Prints mean +- standard error,
and ends with 1 where `predictor` misses a goal, with 2 where the data are not there.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: small matrices are slower on several threads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from nasbench201_tasks import task
from search_methods import PEERS, method
from search_runs import Key, Run, cells, completed, line, mean_and_error

COUNTS = (50, 100, 200, 500)
DATASETS = ("c10", "c100")
DEVICES = ("raspi4", "pixel3", "1080ti_1")
OURS = ("random", "regularized_evolution", "truncation_evolution", "hill_climb", "nsga2", "local_search", "predictor")
SLOW = ("optuna_tpe", "pyglove_evolution", "pyglove_nsga2")
MAIN = ("c100", "raspi4")
"""The pair that goals are stated for; a single objective has no device, and is listed under the first."""

GOALS = {
    "multi": {100: 0.92, 200: 0.975, 500: 0.996},
    "single": {100: 0.20, 200: 0.03},
    "capped": {100: 0.30, 200: 0.10, 500: 0.02},
}
AHEAD = 2.0
"""How many standard errors the predictor must be ahead of every other method, on the mean over the pairs."""


def run(where: str, name: str, seed: int) -> Run:
    """Return what a method makes of the task `KIND DATASET DEVICE`."""
    kind, dataset, device = where.split()
    given = task(kind, dataset, device)
    began = time.process_time()
    proposed = method(name)[0](given, seed, COUNTS[-1])
    cpu_s = time.process_time() - began
    infeasible = int((given.latency_ms[proposed] > given.cap_ms).sum()) if kind == "capped" else 0
    return Run(where, name, seed, given.measure(proposed, COUNTS), cpu_s, infeasible)


def plan(options: argparse.Namespace) -> list[Key]:
    """Return all runs, interleaved: every method runs once with a seed before any runs with the next."""
    wanted = []
    for seed in range(options.seeds):
        for kind in options.kinds.split(","):
            pairs = [(d, device) for d in DATASETS for device in (DEVICES[:1] if kind == "single" else DEVICES)]
            for dataset, device in pairs:
                for name in options.methods.split(","):
                    if kind in method(name)[1] and seed < (options.slow_seeds if name in SLOW else options.seeds):
                        wanted.append((f"{kind} {dataset} {device}", name, seed))
    return wanted


Table = dict[tuple[str, str], np.ndarray]
"""(task, method) -> what was found, shape (seeds, counts)."""


def mean_over_pairs(table: Table, kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over the pairs of a method's means over seeds, and its standard error, each (counts,)."""
    parts = [mean_and_error(found) for (where, who), found in table.items() if (where.split()[0], who) == (kind, name)]
    errors = np.sqrt(sum(error**2 for _, error in parts)) / len(parts)
    return np.mean([mean for mean, _ in parts], axis=0), errors


def report(runs: list[Run]) -> Table:
    """Print the tables, and return what they are made of."""
    rows: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for one in runs:
        rows[one.task, one.method].append(one)
    table = {key: np.array([one.found for one in ones]) for key, ones in rows.items()}
    for where in sorted({where for where, _ in rows}):
        kind, dataset, device = where.split()
        print(f"\n{kind}: {dataset}" + ("" if kind == "single" else f" x {device}"))
        for name in sorted(name for at, name in rows if at == where):
            cpu_ms = float(np.mean([one.cpu_s for one in rows[where, name]])) / COUNTS[-1] * 1e3
            print(line(name, table[where, name], COUNTS, cpu_ms))
    for kind in sorted({where.split()[0] for where, _ in rows}):
        print(f"\n{kind}: mean over {len({at for at, _ in rows if at.split()[0] == kind})} pairs")
        for name in sorted({name for at, name in rows if at.split()[0] == kind}):
            print(f"  {name:22} {cells(COUNTS, *mean_over_pairs(table, kind, name))}")
    return table


def misses(table: Table, runs: list[Run]) -> list[str]:
    """Return in words each goal that `predictor` misses."""
    missed = []
    for kind, goals in GOALS.items():
        device = DEVICES[0] if kind == "single" else MAIN[1]
        found = table.get((f"{kind} {MAIN[0]} {device}", "predictor"))
        for count, goal in goals.items() if found is not None else ():
            value = float(mean_and_error(found)[0][COUNTS.index(count)])
            if value < goal if kind == "multi" else value > goal:
                missed.append(f"{kind} on {' x '.join(MAIN)}: {value:.3f} at {count}, the goal is {goal}")
    outside = sum(one.infeasible for one in runs if one.method == "predictor")
    if outside:
        missed.append(f"{outside} evaluations beyond the latency cap")
    return missed + behind(table)


def behind(table: Table) -> list[str]:
    """Return in words where `predictor` is not ahead of another method by two standard errors over the six pairs."""
    names = {name for where, name in table if where.startswith("multi")}
    if "predictor" not in names:
        return []
    own, own_error = mean_over_pairs(table, "multi", "predictor")
    said = []
    for name in sorted(names - {"predictor"}):
        mean, error = mean_over_pairs(table, "multi", name)
        margin = (own - mean) / np.hypot(own_error, error)
        said += [
            f"multi, mean over the pairs: {by:.1f} standard errors ahead of {name} at {count}, the goal is {AHEAD}"
            for count, by in zip(COUNTS, margin, strict=True)
            if by < AHEAD
        ]
    return said


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--slow-seeds", type=int, default=5, help=f"of {', '.join(SLOW)}")
    parser.add_argument("--methods", default=",".join((*OURS, *PEERS)), help="comma-separated names")
    parser.add_argument("--kinds", default="multi,single,capped")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="a file of every run as JSON lines: what it holds is not run again")
    return parser.parse_args()


def main() -> int:
    """Run, print the tables; return 1 where a goal is missed, 2 where the data are missing."""
    options = parse()
    try:
        task("multi", *MAIN)
    except FileNotFoundError as error:
        print(f"not run: {error.filename} is not there")
        return 2
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "optuna", "pyglove", "pymoo")}
    print(f"Python {platform.python_version()}, {platform.machine()}; {versions}")
    runs = completed(plan(options), run, options.jobs, options.out)
    missed = misses(report(runs), runs)
    print("\n" + ("\n".join(f"MISSED {text}" for text in missed) or "all goals are met"))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
