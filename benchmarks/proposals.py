"""What a proposal costs its driver: CPU of `propose` and `learn` after 100 to 100,000 trials, beside peers in memory.

    python benchmarks/proposals.py [--rounds 8] [--algorithms predictor,nsga2]

The space has 22 decisions of 9 choices; a score is a sum over neighbouring decisions; of two objectives the second, a
sum over decisions, is known. Every algorithm of ours is brought to so many past trials; then in each round every one
goes on one at a time and in batches of 64, in turn, so that a busy machine is as unfair to one as to another. What is
printed is the median over rounds and their range, in CPU ms a trial, learning included. A model-based algorithm is
restored with random trials in each round, so that what it costs to fit its models is in every figure. Ends with 1 where
a bound is missed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: small matrices are slower on several threads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from proposal_costs import BATCH, Cost, Measured, optuna_with, pyglove_evolution, pymoo_nsga2

from search.algorithms.registry import algorithm_names

EVOLUTION_LIKE = ("random", "regularized_evolution", "hill_climb", "local_search", "nsga2")
MODEL_BASED = ("auto", "predictor")
ADAPTERS = ("optuna", "pyglove")
PAST = (100, 1_000, 10_000)
LATE = (5_000, 20_000, 100_000)
"""Past trials at which model-based ones are tried, too."""

CHEAP_MS, FLAT = 0.05, 1.25
"""Bounds of an evolution-like algorithm in batches: a trial's cost, and how much it may grow from 100 to 10,000."""

MODEL_MS = 10.0
"""The bound of a model-based algorithm, one at a time, at `LATE`."""

MODEL_TRIALS, MODEL_ROUNDS = 512, 3
LONG_RUN = ("regularized_evolution", 100_000)

Key = tuple[str, int, int]
"""(algorithm, objectives, past trials)"""


def keys(names: Iterable[str]) -> list[Key]:
    """Return what is measured, an algorithm's numbers of objectives as far as it takes them."""
    found = []
    for name in names:
        for objectives in (1, 2):
            try:
                Measured(name, objectives)
            except ValueError as refusal:
                print(f"left out: {refusal}")
            else:
                past = sorted((*PAST, *LATE)) if name in MODEL_BASED else PAST
                found += [(name, objectives, count) for count in past]
    return found


def measure(wanted: list[Key], rounds: int) -> dict[tuple[Key, int], list[Cost]]:
    """Return the costs of each round by what was measured and the size of the batches."""
    costs: dict[tuple[Key, int], list[Cost]] = {}
    grown = {key: Measured(*key[:2]).grow(key[2]) for key in wanted if key[0] not in MODEL_BASED}
    for one in grown.values():  # imports and caches
        one.spent(BATCH, BATCH)
    for number in range(max(rounds, MODEL_ROUNDS)):
        for key in wanted:
            for batch in (1, BATCH):
                if key in grown and number < rounds:
                    costs.setdefault((key, batch), []).append(grown[key].spent(BATCH * (1 if batch == 1 else 4), batch))
                elif key not in grown and number < MODEL_ROUNDS:
                    given = Measured(*key[:2]).give(key[2])
                    costs.setdefault((key, batch), []).append(given.spent(MODEL_TRIALS, batch))
    return costs


def total(costs: list[Cost]) -> float:
    """Return the median over rounds of what a trial cost."""
    return float(np.median(np.sum(costs, axis=1)))


def report(wanted: list[Key], costs: dict[tuple[Key, int], list[Cost]]) -> None:
    """Print the table of ours."""
    headings = ("one at a time (range)", f"batches of {BATCH} (range)")
    print(f"\n{'':22} objectives    past  " + "  ".join(f"{heading:28} learning" for heading in headings))
    for key in wanted:
        cells = []
        for batch in (1, BATCH):
            every = np.sum(costs[key, batch], axis=1)
            spread = f"{np.median(every):8.4f} ({every.min():.4f} - {every.max():.4f})"
            cells.append(f"{spread:28} {np.median(costs[key, batch], axis=0)[1]:7.4f}")
        print(f"{key[0]:22} {key[1]:10} {key[2]:7} " + "  ".join(cells))


def misses(costs: dict[tuple[Key, int], list[Cost]]) -> list[str]:
    """Return in words each bound that is missed."""
    said = []
    for ((name, objectives, past), batch), rounds in costs.items():
        what, ms = f"{name}, {objectives} objectives, {past:,} past trials", total(rounds)
        if name in EVOLUTION_LIKE and batch == BATCH:
            first = total(costs[(name, objectives, PAST[0]), batch])
            if ms > CHEAP_MS:
                said.append(f"{what}: {ms:.4f} ms in batches of {batch}, the bound is {CHEAP_MS}")
            if past == PAST[-1] and ms > FLAT * first:
                said.append(f"{what}: {ms / first:.2f} times what it is at {PAST[0]}, the bound is {FLAT}")
        if name in MODEL_BASED and batch == 1 and past in LATE and ms > MODEL_MS:
            said.append(f"{what}: {ms:.2f} ms one at a time, the bound is {MODEL_MS}")
    return said


def long_run() -> None:
    """Print what a run of many trials in batches costs at its beginning and at its end."""
    name, trials = LONG_RUN
    run = Measured(name, 1)
    began = time.process_time()
    tenths = [sum(run.spent(trials // 10, BATCH)) for _ in range(10)]
    print(f"\n{name}, one run of {trials:,} trials in batches of {BATCH}: {time.process_time() - began:.1f} CPU s,")
    print(f"  first tenth {tenths[0]:.4f} CPU ms a trial, last tenth {tenths[-1]:.4f}")


def report_peers(rounds: int) -> None:
    """Print what peers cost, each measured in turn."""
    made: dict[str, tuple[Callable[[int], float], int]] = {
        "Optuna random, 1,000 past": (optuna_with("RandomSampler", 1_000), 64),
        "Optuna NSGA-II, 100 past": (optuna_with("NSGAIISampler", 100), 32),
        "Optuna NSGA-II, 1,000 past": (optuna_with("NSGAIISampler", 1_000), 32),
        "PyGlove evolution, 100 past": (pyglove_evolution(100), 4),
        f"pymoo NSGA-II, 1,000 past, batches of {BATCH}": (pymoo_nsga2(1_000), 4 * BATCH),
        f"pymoo NSGA-II, 10,000 past, batches of {BATCH}": (pymoo_nsga2(10_000), 4 * BATCH),
    }
    spent: dict[str, list[float]] = {}
    for _ in range(rounds):
        for label, (run, trials) in made.items():
            spent.setdefault(label, []).append(run(trials))
    print("\npeers, in memory")
    for label, values in spent.items():
        print(f"  {label:45} {np.median(values):8.4f} ({min(values):.4f} - {max(values):.4f})")


def main() -> int:
    """Print the tables; return 1 where a bound is missed."""
    native = [name for name in algorithm_names() if name not in ADAPTERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--algorithms", default=",".join(native), help="comma-separated names")
    options = parser.parse_args()
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "optuna", "pyglove", "pymoo")}
    print(f"Python {platform.python_version()}, {platform.machine()}; {versions}; CPU ms a trial")
    wanted = keys(options.algorithms.split(","))
    costs = measure(wanted, options.rounds)
    report(wanted, costs)
    long_run()
    report_peers(options.rounds)
    missed = misses(costs)
    print("\n" + ("\n".join(f"MISSED {text}" for text in missed) or "all bounds are met"))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
