"""Runs of search methods on tasks: made in several processes, kept as JSON lines so that they go on, and averaged."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True)
class Run:
    """One method on one task with one seed: what it had found after each count, and the CPU that it took.

    `infeasible` counts evaluations beyond a constraint.
    """

    task: str
    method: str
    seed: int
    found: list[float]
    cpu_s: float
    infeasible: int = 0


Key = tuple[str, str, int]
"""(task, method, seed)"""


def completed(wanted: Iterable[Key], make: Callable[[str, str, int], Run], jobs: int, out: Path | None) -> list[Run]:
    """Return the wanted runs; those that the file `out` holds are not made again, new ones are added to it."""
    held = [Run(**json.loads(line)) for line in out.read_text().splitlines()] if out and out.exists() else []
    done = {(one.task, one.method, one.seed): one for one in held}
    wanted = list(wanted)
    with ProcessPoolExecutor(jobs) as pool:
        for key, future in [(key, pool.submit(make, *key)) for key in wanted if key not in done]:
            done[key] = future.result()
            if out:
                with out.open("a") as file:
                    file.write(json.dumps(dataclasses.asdict(done[key])) + "\n")
    return [done[key] for key in wanted]


def mean_and_error(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over seeds of `found` (seeds, counts), and its standard error; NaN for a single seed."""
    error = found.std(axis=0, ddof=1) / len(found) ** 0.5 if len(found) > 1 else np.full(found.shape[1], np.nan)
    return found.mean(axis=0), error


def line(name: str, found: np.ndarray, counts: tuple[int, ...], cpu_ms: float) -> str:
    """Return a method's row of a table: mean +- standard error after each count, and CPU ms an evaluation."""
    seeds = f"{name:22} ({len(found):2} seeds)"
    return f"  {seeds} {cells(counts, *mean_and_error(found))}  {cpu_ms:8.2f} CPU ms each"


def cells(counts: tuple[int, ...], mean: np.ndarray, error: np.ndarray) -> str:
    """Return a row's figures: mean +- standard error after each count."""
    return "   ".join(f"{count}: {m:7.4f} +- {e:.4f}" for count, m, e in zip(counts, mean, error, strict=True))
