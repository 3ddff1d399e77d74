"""What each algorithm has found after 50, 100, 200 and 500 evaluations of NAS-Bench-201, beside peers as installed.

    python benchmarks/search_quality.py [--seeds 20] [--methods predictor,local_search,optuna_tpe] [--jobs 1]

Three kinds of task: `multi` is the hypervolume of accuracy and latency as a part of the true front's (six pairs of
data set and device), `single` the regret in accuracy (two data sets), `capped` the regret under a latency cap (six
pairs). Methods run in turn, seed by seed; a repeated proposal counts as an evaluation. Prints mean +- standard error,
and ends with 1 where `predictor` misses a goal, with 2 where the data are not there.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: small matrices are slower on several threads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from nasbench201_tasks import task
from search_methods import PEERS, method

COUNTS = (50, 100, 200, 500)
DATASETS = ("c10", "c100")
DEVICES = ("raspi4", "pixel3", "1080ti_1")
OURS = ("random", "regularized_evolution", "hill_climb", "nsga2", "local_search", "predictor")
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


@dataclass(frozen=True, slots=True)
class Run:
    """One method on one task with one seed: what it had after each count, and the CPU that it took."""

    kind: str
    dataset: str
    device: str
    method: str
    seed: int
    found: list[float]
    infeasible: int
    cpu_s: float


def run(kind: str, dataset: str, device: str, name: str, seed: int) -> Run:
    """Return what a method makes of a task."""
    given = task(kind, dataset, device)
    began = time.process_time()
    proposed = method(name)[0](given, seed, COUNTS[-1])
    cpu_s = time.process_time() - began
    infeasible = int((given.latency_ms[proposed] > given.cap_ms).sum()) if kind == "capped" else 0
    return Run(kind, dataset, device, name, seed, given.measure(proposed, COUNTS), infeasible, cpu_s)


def plan(options: argparse.Namespace) -> list[tuple[str, str, str, str, int]]:
    """Return all runs, interleaved: every method runs once with a seed before any runs with the next."""
    wanted = []
    for seed in range(options.seeds):
        for kind in options.kinds.split(","):
            pairs = [(d, device) for d in DATASETS for device in (DEVICES[:1] if kind == "single" else DEVICES)]
            for dataset, device in pairs:
                for name in options.methods.split(","):
                    if kind in method(name)[1] and seed < (options.slow_seeds if name in SLOW else options.seeds):
                        wanted.append((kind, dataset, device, name, seed))
    return wanted


def run_all(wanted: list[tuple[str, str, str, str, int]], jobs: int, out: Path | None) -> list[Run]:
    """Return what all methods make of their tasks; those that the file `out` holds are not run again."""
    held = [Run(**json.loads(line)) for line in out.read_text().splitlines()] if out and out.exists() else []
    done = {(one.kind, one.dataset, one.device, one.method, one.seed): one for one in held}
    missing = [given for given in wanted if given not in done]
    with ProcessPoolExecutor(jobs) as pool:
        for given, future in [(given, pool.submit(run, *given)) for given in missing]:
            done[given] = future.result()
            if out:
                with out.open("a") as file:
                    file.write(json.dumps(dataclasses.asdict(done[given])) + "\n")
    return [done[given] for given in wanted]


Table = dict[tuple[str, str, str, str], np.ndarray]
"""(kind, data set, device, method) -> what was found, shape (seeds, counts)."""


def mean_over_pairs(table: Table, kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over the pairs of a method's means over seeds, and its standard error, each (counts,)."""
    parts = [_mean(found) for (a, _, _, b), found in table.items() if (a, b) == (kind, name)]
    errors = np.sqrt(sum(error**2 for _, error in parts)) / len(parts)
    return np.mean([mean for mean, _ in parts], axis=0), errors


def _mean(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    error = found.std(axis=0, ddof=1) / len(found) ** 0.5 if len(found) > 1 else np.full(found.shape[1], np.nan)
    return found.mean(axis=0), error


def report(runs: list[Run]) -> Table:
    """Print the tables, and return what they are made of."""
    rows: dict[tuple[str, str, str, str], list[Run]] = defaultdict(list)
    for one in runs:
        rows[one.kind, one.dataset, one.device, one.method].append(one)
    table = {key: np.array([one.found for one in ones]) for key, ones in rows.items()}
    last = ()
    for key in sorted(rows):
        if key[:3] != last:
            last = key[:3]
            print(f"\n{key[0]}: {key[1]}" + ("" if key[0] == "single" else f" x {key[2]}"))
        cpu_ms = np.mean([one.cpu_s for one in rows[key]]) / COUNTS[-1] * 1e3
        print(_line(key[3], len(rows[key]), *_mean(table[key])) + f"  {cpu_ms:8.2f} CPU ms each")
    for kind in sorted({key[0] for key in rows}):
        print(f"\n{kind}: mean over {len({key[1:3] for key in rows if key[0] == kind})} pairs")
        for name in sorted({key[3] for key in rows if key[0] == kind}):
            print(_line(name, 0, *mean_over_pairs(table, kind, name)))
    return table


def _line(name: str, seeds: int, mean: np.ndarray, error: np.ndarray) -> str:
    cells = [f"{count}: {m:6.3f} +- {e:.3f}" for count, m, e in zip(COUNTS, mean, error, strict=True)]
    return f"  {name:22} " + (f"({seeds:2} seeds) " if seeds else "") + "   ".join(cells)


def misses(table: Table, runs: list[Run]) -> list[str]:
    """Return in words each goal that `predictor` misses."""
    missed = []
    for kind, goals in GOALS.items():
        device = DEVICES[0] if kind == "single" else MAIN[1]
        found = table.get((kind, MAIN[0], device, "predictor"))
        for count, goal in goals.items() if found is not None else ():
            value = float(found.mean(axis=0)[COUNTS.index(count)])
            if value < goal if kind == "multi" else value > goal:
                missed.append(f"{kind} on {' x '.join(MAIN)}: {value:.3f} at {count}, the goal is {goal}")
    outside = sum(one.infeasible for one in runs if one.method == "predictor")
    if outside:
        missed.append(f"{outside} evaluations beyond the latency cap")
    return missed + behind(table)


def behind(table: Table) -> list[str]:
    """Return in words where `predictor` is not ahead of another method by two standard errors over the six pairs."""
    names = {key[3] for key in table if key[0] == "multi"}
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
    runs = run_all(plan(options), options.jobs, options.out)
    missed = misses(report(runs), runs)
    print("\n" + ("\n".join(f"MISSED {text}" for text in missed) or "all goals are met"))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
