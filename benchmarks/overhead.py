"""What a trial costs its driver: CPU of ask, durable record and tell, beside Optuna, PyGlove and pymoo.

    python benchmarks/overhead.py [--trials 10000] [--rounds 3]

The space has 22 decisions of 9 choices, the evaluator is trivial. Every peer runs a little in each round, in turn, so
that a busy machine is as unfair to one as to another; what is printed is the median over rounds and their range.
CPU is of the process, user and system. `floor` is what SQLite itself needs for two transactions a trial, each synced
to the disk; ours sync the one that holds the result, and the other with it.
"""

from __future__ import annotations

import argparse
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg

from search.algorithms.regularized_evolution import RegularizedEvolution
from search.objectives import parse_objectives
from search.storage import open_storage
from search.study import Study
from spaces.genotype import GenotypeSpace

DECISIONS, CHOICES = 22, 9


def ours(folder: Path, trials: int, chunk: int = 100) -> tuple[list[float], float]:
    """Return CPU ms a trial of each chunk of trials, and the wall seconds of all."""
    space = GenotypeSpace(pg.List([pg.oneof(list(range(CHOICES))) for _ in range(DECISIONS)]))
    objectives = parse_objectives({"accuracy": "maximize"})
    spent = []
    with (
        open_storage(f"sqlite:///{folder}/ours{time.monotonic_ns()}.db") as storage,
        Study.create_or_resume(storage, "s", space, RegularizedEvolution(), objectives, max_trials=trials) as study,
    ):
        began = time.perf_counter()
        for _ in range(trials // chunk):
            cpu = time.process_time()
            for _ in range(chunk):
                (trial,) = study.ask(1)
                study.tell(trial, {"accuracy": float(trial.genotype.sum())})
            spent.append((time.process_time() - cpu) / chunk * 1e3)
        return spent, time.perf_counter() - began


def floor(folder: Path, trials: int) -> None:
    """Insert and update a row, each in a durable transaction of its own, with nothing around it."""
    connection = sqlite3.connect(folder / f"floor{time.monotonic_ns()}.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE trials (number INTEGER PRIMARY KEY, genotype TEXT, value REAL)")
    for number in range(trials):
        connection.execute("INSERT INTO trials VALUES (?, ?, NULL)", (number, "1," * DECISIONS))
        connection.execute("UPDATE trials SET value = ? WHERE number = ?", (0.5, number))
    connection.close()


def optuna_with(storage: str | None) -> Callable[[int], None]:
    """Return a run of Optuna's random sampler, the cheapest it has."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(0), direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        return float(sum(trial.suggest_categorical(f"x{i}", range(CHOICES)) for i in range(DECISIONS)))

    return lambda trials: study.optimize(objective, n_trials=trials)


def pyglove_evolution(trials: int) -> None:
    """Run PyGlove's regularized evolution, in memory."""
    space = pg.List([pg.oneof(list(range(CHOICES))) for _ in range(DECISIONS)])
    for example, feedback in pg.sample(space, pg.evolution.regularized_evolution(), num_examples=trials):
        feedback(float(sum(example)))


def pymoo_nsga2(trials: int) -> None:
    """Run pymoo's NSGA-II by ask and tell, in memory, in batches of 100: the cheapest scheduler measured."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.operators.sampling.rnd import IntegerRandomSampling

    problem = Problem(n_var=DECISIONS, n_obj=2, xl=0, xu=CHOICES - 1, vtype=int)
    algorithm = NSGA2(pop_size=100, sampling=IntegerRandomSampling())
    algorithm.setup(problem, seed=0, verbose=False)
    for _ in range(trials // 100):
        population = algorithm.ask()
        found = population.get("X").astype(float)
        population.set("F", np.stack([-found.sum(axis=1), found[:, 0]], axis=1))
        algorithm.tell(infills=population)


def measure(run: Callable[[int], object], trials: int) -> float:
    """Return CPU ms a trial."""
    cpu = time.process_time()
    run(trials)
    return (time.process_time() - cpu) / trials * 1e3


def peers(folder: Path) -> dict[str, tuple[Callable[[int], object], int]]:
    """Return each peer and how many of its trials a round can afford."""
    found: dict[str, tuple[Callable[[int], object], int]] = {"SQLite floor": (lambda n: floor(folder, n), 500)}
    found["Optuna random, SQLite"] = (optuna_with(f"sqlite:///{folder}/optuna.db"), 10)
    found["Optuna random, in memory"] = (optuna_with(None), 300)
    found["PyGlove evolution, in memory"] = (pyglove_evolution, 40)
    try:
        import pymoo  # noqa: F401

        found["pymoo NSGA-II, in memory"] = (pymoo_nsga2, 2000)
    except ImportError:
        print("pymoo is not installed: left out")
    return found


def main() -> int:
    """Print the table; return 1 where a bound is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        others = peers(folder)
        spent: dict[str, list[float]] = {}
        ours(folder, 200)  # imports and caches
        share = options.trials // options.rounds // 1000 * 1000 or 1000
        for _ in range(options.rounds):
            spent.setdefault("ours, durable in SQLite", []).append(statistics.mean(ours(folder, share)[0]))
            for label, (run, trials) in others.items():
                spent.setdefault(label, []).append(measure(run, trials))
        chunks, wall_s = ours(folder, options.trials)
    return report(spent, chunks, wall_s, options.trials)


def report(spent: dict[str, list[float]], chunks: list[float], wall_s: float, trials: int) -> int:
    """Print what was measured; return 1 where a bound is not met."""
    print(f"Python {platform.python_version()}, {platform.machine()}; CPU ms a trial, median (range) over rounds")
    own = statistics.median(spent["ours, durable in SQLite"])
    for label, values in spent.items():
        middle = statistics.median(values)
        print(f"  {label:30} {middle:8.3f} ({min(values):.3f} - {max(values):.3f})   {middle / own:7.1f} x ours")
    tenth = len(chunks) // 10
    middle, best = np.median(chunks), np.quantile(chunks, 0.1)
    first, last = np.quantile(chunks[:tenth], 0.25), np.quantile(chunks[-tenth:], 0.25)
    print(f"one run of {trials}: {trials / wall_s:.0f} durable trials/s")
    print(f"  CPU ms a trial: median {middle:.3f} (bound 0.5), mean {np.mean(chunks):.3f}, fastest tenth {best:.3f}")
    print(f"  lower quartile: first tenth {first:.3f}, last {last:.3f}: ratio {last / first:.3f} (bound 1.25)")
    return int(middle > 0.5 or last > 1.25 * first)


if __name__ == "__main__":
    sys.exit(main())
