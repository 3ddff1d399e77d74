"""The shipped studies of hyper-parameters: they load, their settings can be set, and a trial gives their objectives."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators._base import Task
from search.study_file import load_study_file


@pytest.mark.parametrize(
    ("name", "overrides", "metrics"),
    [
        ("digits_joint", {"epochs": "1"}, {"accuracy", "loss"}),
        ("digits_pruned", {"epochs": "1"}, {"accuracy", "loss"}),
        ("hpobench", {"dataset": "car"}, {"accuracy", "precision", "f1", "train_time_s"}),
        ("hpolib", {"dataset": "naval_propulsion"}, {"loss", "params", "train_time_s"}),
    ],
)
def test_a_trial_gives_the_objectives(name: str, overrides: dict[str, str], metrics: set[str]) -> None:
    study = load_study_file(name, overrides)
    task = Task(study.space, study.space.sample(1, np.random.default_rng(1))[0], seed=1)
    found = list(study.evaluator(task))
    assert [set(measured) for measured in found] == [metrics]
    assert {objective.metric.partition("@")[0] for objective in study.objectives} <= metrics | {"latency_ms"}
