"""The search flows as a PyGlove program in the style of its NAS-Bench example; it knows of this project two lines.

A functor makes the specification that the benchmark knows, hints part its decisions, mutators go by the hints, and
what the benchmark would not take is skipped. `FLOW DIE_AT` are its arguments: it dies without a word at that
evaluation. Each evaluation is printed.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import pyglove as pg

import search.backend
from evaluators.hpo_table import hpolib_table
from spaces import hpolib

NETWORK, TRAINING = "network", "training"
SIZE_LIMIT = 100_000

search.backend.register(default=True)  # at $SEARCH_STORAGE; the rest is PyGlove


@pg.functor([("network", pg.typing.Any()), ("training", pg.typing.Any())])
def recipe(network: Any, training: Any) -> np.ndarray:
    """Return the benchmark's code of a recipe."""
    values = {**network, **training}
    codes = [list(choices).index(values[name]) for name, choices in CHOICES.items()]
    return np.array([codes])


CHOICES = {
    "activation_fn_1": hpolib.ACTIVATIONS,
    "activation_fn_2": hpolib.ACTIVATIONS,
    "batch_size": hpolib.BATCH_SIZES,
    "dropout_1": hpolib.DROPOUTS,
    "dropout_2": hpolib.DROPOUTS,
    "init_lr": hpolib.LEARNING_RATES,
    "lr_schedule": hpolib.SCHEDULES,
    "n_units_1": hpolib.UNITS,
    "n_units_2": hpolib.UNITS,
}
OF_TRAINING = ("batch_size", "init_lr", "lr_schedule")


def space() -> Any:
    """Return the search space."""
    parts: dict[str, dict[str, Any]] = {NETWORK: {}, TRAINING: {}}
    for name, choices in CHOICES.items():
        part = TRAINING if name in OF_TRAINING else NETWORK
        parts[part][name] = pg.oneof(choices, hints=part)
    return recipe(**parts)


@pg.functor([("decision", pg.typing.Any()), ("hints", pg.typing.Str())])
def has_hints(decision: Any, hints: str) -> bool:
    """Return whether a DNA's decision has these hints."""
    return bool(decision.spec.hints == hints)


def evolution(*parts: str) -> pg.DNAGenerator:
    """Return regularized evolution that mutates one decision of each part."""
    mutators = [pg.evolution.mutators.Uniform(where=has_hints(hints=part)) for part in parts]
    mutator = mutators[0] if len(mutators) == 1 else mutators[0] >> mutators[1]
    return pg.evolution.regularized_evolution(mutator, population_size=5, tournament_size=3)


def of(part: str) -> Any:
    """Return what picks the decisions of a part for `where`."""
    return lambda decision: decision.hints == part


class Benchmark:
    """Looks recipes up, prints each, and dies when it is time."""

    def __init__(self, die_at: int) -> None:
        self._table = hpolib_table("protein_structure")
        self._left = die_at

    def query(self, model: Any, feedback: Any) -> None:
        """Feed a model's reward back; skip it where it is too large."""
        if self._left == 1:
            os._exit(9)
        self._left -= 1
        found = self._table.evaluate_many(model())
        print(*model()[0], flush=True)  # noqa: T201
        if found["params"][0] > SIZE_LIMIT:
            feedback.skip("too large")
        else:
            feedback(-float(found["loss"][0]))


def best(name: str) -> Any:
    """Return the best trial of a loop; None where none has a reward."""
    return pg.poll_result(name).best_trial


def joint(benchmark: Benchmark) -> None:
    """Search both parts in one loop."""
    for model, feedback in pg.sample(space(), evolution(NETWORK, TRAINING), 24, name="joint"):
        benchmark.query(model, feedback)


def separate(benchmark: Benchmark) -> None:
    """Search the network with a fixed training, then the training of the best network."""
    first = {f"training.{name}": CHOICES[name][0] for name in OF_TRAINING}
    for model, feedback in pg.sample(space(), evolution(NETWORK), 12, name="network", where=of(NETWORK)):
        benchmark.query(model.clone().rebind(first), feedback)
    searched = pg.template(space(), where=of(NETWORK)).decode(best("network").dna)
    for model, feedback in pg.sample(searched, evolution(TRAINING), 12, name="training"):
        benchmark.query(model, feedback)


def factorized(benchmark: Benchmark) -> None:
    """Search the training of each network."""
    for network, feedback in pg.sample(space(), evolution(NETWORK), 6, name="network", where=of(NETWORK)):
        name = f"training-{feedback.id}"
        for model, inner in pg.sample(network, evolution(TRAINING), 4, name=name):
            benchmark.query(model, inner)
        found = best(name)
        feedback.skip("none is small enough") if found is None else feedback(found.final_measurement.reward)


if __name__ == "__main__":
    {"joint": joint, "separate": separate, "factorized": factorized}[sys.argv[1]](Benchmark(int(sys.argv[2])))
