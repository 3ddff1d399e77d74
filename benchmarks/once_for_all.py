"""Best predicted accuracy of once-for-all networks within 20, 25, 30 and 40 ms, beside the authors' own evolution.

    python benchmarks/once_for_all.py [--seeds 10] [--limits 20,25,30,40] [--jobs 1]

Nothing is trained: accuracy is the published predictor's, latency the sum of the published Note10 table, the same array
look-ups for all. Runs are in turn, seed by seed. Ours never propose a network twice; a repeat of the peer counts as an
evaluation. Prints mean +- standard error after 1,100, 10,100 and 50,100 evaluations - the peer's 10, 100 and 500
generations, of which 500 are the published ones - and ends with 1 where ours are behind, with 2 without the data.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: small matrices are slower on several threads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from once_for_all_evolution import evolve
from once_for_all_task import Task, task

from search.algorithms._base import Problem, Results
from search.algorithms.registry import make_algorithm

COUNTS = (1_100, 10_100, 50_100)
PEER = "published evolution"
METHODS: dict[str, tuple[int, int, dict[str, Any]]] = {
    PEER: (50_100, 100, {}),
    "nsga2": (50_100, 100, {"population": 100, "offspring": 100}),
    "regularized_evolution": (10_100, 100, {}),
    "hill_climb": (10_100, 100, {}),
    "local_search": (10_100, 100, {}),
    "predictor": (1_100, 50, {}),
}
"""For each, how many evaluations it runs for, in batches of what size, its settings. The predictor is the dearest."""

CHAMPIONS = {1_100: "predictor", 10_100: "nsga2", 50_100: "nsga2"}
"""Which of ours must be ahead of the peer after so many evaluations, within each latency."""

Found = dict[tuple[float, str], list[np.ndarray]]
"""(limit, method) -> for each seed the best accuracy after each count, NaN where it did not run for so long."""


def own(name: str, given: Task, limit_ms: float, seed: int) -> np.ndarray:
    """Return the accuracy of each network that an algorithm of this project proposes; latency is known to it."""

    def known(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        excess = np.maximum(given.latency_ms(given.features(genotypes)) / limit_ms - 1.0, 0.0)
        return np.full((len(genotypes), 1), np.nan), excess

    evaluations, batch, settings = METHODS[name]
    algorithm = make_algorithm(name, **settings)
    algorithm.start(Problem(given.space, 1, seed, known))
    found: list[float] = []
    while len(found) < evaluations:
        genotypes = algorithm.propose(min(batch, evaluations - len(found)))
        accuracy = given.accuracy(given.features(genotypes))
        algorithm.learn(Results(genotypes, accuracy[:, None], np.zeros(len(genotypes))))
        found += accuracy.tolist()
    return np.array(found)


def run(name: str, limit_ms: float, seed: int) -> tuple[np.ndarray, float]:
    """Return the best accuracy of one run after each count, and its CPU time in seconds."""
    given, began = task(), time.process_time()
    accuracy = evolve(given, limit_ms, seed, METHODS[PEER][0]) if name == PEER else own(name, given, limit_ms, seed)
    best = [accuracy[:count].max() if len(accuracy) >= count else np.nan for count in COUNTS]
    return np.array(best), time.process_time() - began


def run_all(limits: list[float], seeds: int, jobs: int) -> tuple[Found, dict[str, list[float]]]:
    """Return what all methods find, and the CPU seconds of each one's runs."""
    found: Found = defaultdict(list)
    cpu_s: dict[str, list[float]] = defaultdict(list)
    wanted = [(name, limit, seed) for seed in range(seeds) for limit in limits for name in METHODS]
    with ProcessPoolExecutor(jobs) as pool:
        for (name, limit, _), (best, seconds) in zip(wanted, pool.map(run, *zip(*wanted, strict=True)), strict=True):
            found[limit, name].append(best)
            cpu_s[name].append(seconds)
    return found, cpu_s


def report(found: Found, cpu_s: dict[str, list[float]]) -> list[str]:
    """Print the tables and return in words where ours are behind."""
    missed = []
    for limit in sorted({limit for limit, _ in found}):
        print(f"\nwithin {limit:g} ms: best predicted accuracy (%)")
        means = {}
        for name in METHODS:
            runs = np.array(found[limit, name])
            means[name] = runs.mean(axis=0)
            errors = runs.std(axis=0, ddof=1) / len(runs) ** 0.5 if len(runs) > 1 else np.full(len(COUNTS), np.nan)
            cells = [_cell(mean, error) for mean, error in zip(means[name], errors, strict=True)]
            print(f"  {name:22} {'   '.join(cells)}   {np.mean(cpu_s[name]):6.1f} CPU s a run")
        for count, champion in CHAMPIONS.items():
            ours, theirs = (means[name][COUNTS.index(count)] for name in (champion, PEER))
            if not ours > theirs:
                missed.append(f"within {limit:g} ms, {count:,} evaluations: {champion} {ours:.3f}, {PEER} {theirs:.3f}")
    return missed


def _cell(mean: float, error: float) -> str:
    return " " * 17 if np.isnan(mean) else f"{mean:7.3f} +- {error:.3f}"


def main() -> int:
    """Run and print; return 1 where ours are behind the peer, 2 without the data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--limits", default="20,25,30,40", help="latencies in ms, comma-separated")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    try:
        task()
    except FileNotFoundError as error:
        print(f"not run: {error}")
        return 2
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}; {options.seeds} seeds")
    print(f"evaluations: {', '.join(f'{count:,}' for count in COUNTS)}")
    missed = report(*run_all([float(limit) for limit in options.limits.split(",")], options.seeds, options.jobs))
    print("\n" + ("\n".join(f"BEHIND {text}" for text in missed) or "ours are ahead within each latency"))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
