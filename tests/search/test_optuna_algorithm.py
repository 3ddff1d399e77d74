"""Optuna's samplers as algorithms: each proposes, learns, keeps to constraints and is rebuilt from the trials."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import optuna
import pyglove as pg
import pytest

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms.optuna import SAMPLERS
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace

FLAT = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof([1, 2, 4, 8, 16]) for i in range(6)}))
MIXED = GenotypeSpace(
    pg.Dict(
        rate=pg.floatv(1e-4, 1e-1, scale="log"),
        stem=pg.oneof([pg.Dict(kernel=pg.oneof([3, 5, 7]), kind=pg.oneof(["a", "b"])), "none"]),
        picked=pg.manyof(2, ["x", "y", "z"], sorted=True),
    )
)


def started(space: GenotypeSpace = FLAT, objectives: int = 1, **settings: Any) -> Algorithm:
    """Return an algorithm at the start."""
    algorithm = make_algorithm("optuna", **settings)
    algorithm.start(Problem(space, objectives, 3))
    return algorithm


def told(batch: np.ndarray, violations: np.ndarray | None = None) -> Results:
    """Return results that depend on the genotypes alone."""
    excess = np.zeros(len(batch)) if violations is None else violations
    return Results(batch, batch.sum(axis=1, keepdims=True).astype(float), excess)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_proposes_new_genotypes_and_learns(sampler: str) -> None:
    algorithm = started(sampler=sampler)
    past = []
    for _ in range(12):
        past.append(algorithm.propose(1))
        algorithm.learn(told(past[-1]))
    every = np.concatenate(past)
    assert FLAT.valid(every).all()
    assert len(FLAT.unique(every)) == 12


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "brute_force"])
def test_floats_conditions_and_sorted_picks_are_suggested(sampler: str) -> None:
    algorithm = started(MIXED, sampler=sampler)
    for _ in range(12):
        batch = algorithm.propose(1)
        assert MIXED.valid(batch).all()
        algorithm.learn(told(batch))


def test_only_decisions_in_force_are_asked_for() -> None:
    algorithm: Any = started(MIXED)
    batch = algorithm.propose(20)
    asked = [len(trial.params) for trial in algorithm._study.trials if trial.state.name == "RUNNING"]
    assert asked == MIXED.active(batch).sum(axis=1).tolist()
    assert set(asked) == {4, 6}


def test_choices_that_are_numbers_in_order_are_integers() -> None:
    algorithm: Any = started(MIXED)
    kinds = [type(distribution).__name__ for distribution in algorithm._distributions]
    assert kinds[:4] == ["FloatDistribution", "CategoricalDistribution", "IntDistribution", "CategoricalDistribution"]
    assert algorithm._distributions[0].log


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsgaii", "nsgaiii"])
def test_violations_are_told_as_constraints(sampler: str) -> None:
    algorithm: Any = started(sampler=sampler, options={"n_startup_trials": 3} if sampler in ("tpe", "gp") else {})
    for index in range(8):
        batch = algorithm.propose(1)
        algorithm.learn(told(batch, np.array([0.5 * (index % 3 == 1)])))
    stored = [trial.constraints["violation"] for trial in algorithm._study.trials if trial.value is not None]
    assert stored == [0.0, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.5]


def test_tpe_learns() -> None:
    best = 0
    algorithm = started(options={"n_startup_trials": 10})
    for _ in range(100):
        batch = algorithm.propose(1)
        best = max(best, int(batch.sum()))
        algorithm.learn(told(batch))
    assert best >= 21


def test_a_restored_sampler_knows_all_trials() -> None:
    one, other = started(), started()
    past = one.propose(20)
    one.learn(told(past[:18]))
    other.restore(json.loads(json.dumps(one.state())), past, told(past[:18]))
    states = [trial.state.name for trial in other._study.trials]  # type: ignore[attr-defined]
    assert states == ["COMPLETE"] * 18 + ["RUNNING"] * 2
    assert not set(FLAT.keys(other.propose(20))) & set(FLAT.keys(past))
    other.learn(told(past[18:]))
    assert other._study.trials[19].value == float(past[19].sum())  # type: ignore[attr-defined]


def test_a_sampler_may_be_an_instance() -> None:
    algorithm = started(sampler=optuna.samplers.TPESampler(seed=1))
    assert len(algorithm.propose(3)) == 3
    assert algorithm.settings == {"name": "optuna", "sampler": "TPESampler", "options": {}}


@pytest.mark.parametrize(
    ("space", "objectives", "settings", "message"),
    [
        (FLAT, 1, {"sampler": "bogus"}, "sampler 'bogus' is unknown: expected one of tpe"),
        (FLAT, 1, {"options": {"size": 3}}, "options {'size': 3} are not those of 'tpe'"),
        (FLAT, 2, {"sampler": "cmaes"}, "CmaEsSampler optimizes one objective, and there are 2"),
        (MIXED, 1, {"sampler": "brute_force"}, "brute_force needs a finite space"),
    ],
)
def test_what_is_not_supported_is_refused(
    space: GenotypeSpace, objectives: int, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        started(space, objectives, **settings)


def test_optuna_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    algorithm = started(sampler="qmc")
    algorithm.learn(told(algorithm.propose(3)))
    assert capfd.readouterr() == ("", "")
