"""The predictor of inherited accuracies: what it is told, how it ranks networks it has not seen, how it resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_nested import small_nested

from evaluators._base import Task
from evaluators._preparation import Job, Preparation
from evaluators.inherited_predictor import InheritedPredictor, PredictedAccuracy, one_hot
from evaluators.nested_supernet import NestedSupernet
from evaluators.samplers.uniform import Uniform
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import once_for_all

SETTINGS = InheritedPredictor(supernet=NestedSupernet(sampler=Uniform(2), epochs=8), pairs=40)


def test_absent_decisions_are_all_zeros() -> None:
    space = GenotypeSpace(once_for_all(resolutions=[128], kernels=(3, 5), expansions=(3,), depths=(1, 2)))
    names = [column.name for column in space.columns]
    row = space.repair(np.zeros((1, space.width)))
    assert [name.removeprefix("stages[0].first.") for name in names[:4]] == [
        "kernel", "expansion", "then", "then[=1/2].kernel",
    ]  # fmt: skip
    assert one_hot(space, row)[0, :7].tolist() == [1, 0, 1, 1, 0, 0, 0]
    row[0, 2:4] = 1
    assert one_hot(space, row)[0, :7].tolist() == [1, 0, 1, 0, 1, 0, 1]


def test_unseen_networks_are_ranked_and_the_evaluator_predicts_them(tmp_path: Path) -> None:
    space = small_nested()
    steps = list(SETTINGS(Job(space, tmp_path)))
    assert [round(step.share, 2) for step in steps] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.96, 1.0]
    assert steps[-1].metrics["predictor_kendall_tau"] > 0.6
    assert steps[-1].metrics["predictor_rmse"] < 3
    few, many = (
        next(PredictedAccuracy()(Task(space, np.array(row), prepared=(tmp_path,))))["accuracy"]
        for row in ([0, 1], [2, 1])
    )
    assert few + 10 < many < 100


def test_an_interrupted_one_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    made: Preparation = replace(SETTINGS, supernet=NestedSupernet(epochs=1, batch=256))
    expected = list(made(Job(small_nested(), tmp_path / "whole")))
    interrupted = made(Job(small_nested(), tmp_path / "broken"))
    assert [next(interrupted) for _ in range(2)] == expected[:2]
    del interrupted
    assert list(made(Job(small_nested(), tmp_path / "broken"))) == expected


def test_a_study_without_one_is_told() -> None:
    with pytest.raises(ValueError, match=r"preparation InheritedPredictor at place 1, .*: InheritedPredictor$"):
        PredictedAccuracy(predictor=1).check_early(small_nested(), [SETTINGS])
    with pytest.raises(ValueError, match="pairs must be at least 10, a fifth of which is held out, got 5"):
        replace(SETTINGS, pairs=5)
