"""A PyGlove program in the style of its examples, run in processes of their own by the tests of the backend."""

from __future__ import annotations

import os
import sys
import time

import pyglove as pg

import search.backend  # noqa: F401 - makes the backend known


def program(url: str, algorithm: str, examples: int, pause_s: float, crash_at: int, seed: int) -> None:
    """Sample; print each trial that was accepted; die without a word at trial `crash_at`."""
    space = pg.Dict(
        kernel=pg.oneof([3, 5, 7]),
        layers=pg.List([pg.Dict(width=pg.oneof([8, 16, 32]), rate=pg.floatv(0.0, 1.0)) for _ in range(3)]),
    )
    generators = {
        "evolution": lambda: pg.evolution.regularized_evolution(population_size=10, tournament_size=3),
        "sweeping": pg.geno.Sweeping,
    }
    if algorithm == "sweeping":
        space = pg.Dict(x=pg.oneof(list(range(examples))), y=pg.oneof([0, 1]))
    made = generators[algorithm]() if algorithm in generators else algorithm
    for example, feedback in pg.sample(
        space, made, examples, name="shared", backend="sql", storage=url, seed=seed, retries=100
    ):
        if feedback.id == crash_at:
            os._exit(9)
        time.sleep(pause_s)
        feedback(float(sum(layer.width * layer.rate for layer in example.layers)) if "layers" in example else 1.0)
        print(feedback.id, flush=True)  # noqa: T201


if __name__ == "__main__":
    program(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
