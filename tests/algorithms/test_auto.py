"""What `auto` picks, that it then proposes what the picked algorithm would, and that it keeps its choice."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._base import Problem, Results
from search.algorithms.auto import Auto
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace

LARGE = GenotypeSpace(pg.List([pg.oneof(list(range(9))) for _ in range(22)]))
SMALL = GenotypeSpace(pg.List([pg.oneof(list(range(5))) for _ in range(6)]))


def started(space: GenotypeSpace, objectives: int, budget: int | None) -> Auto:
    auto = Auto()
    auto.start(Problem(space, objectives, budget=budget))
    return auto


@pytest.mark.parametrize(
    ("space", "objectives", "budget", "name"),
    [
        (SMALL, 1, None, "predictor"),
        (LARGE, 3, 1_000, "predictor"),
        (LARGE, 4, 1_000, "nsga2"),
        (LARGE, 1, 50_000, "regularized_evolution"),
        (LARGE, 2, 50_000, "nsga2"),
        (SMALL, 2, 20_001, "exhaustive"),
        (SMALL, 2, 15_625, "predictor"),
    ],
)
def test_the_problem_decides(space: GenotypeSpace, objectives: int, budget: int | None, name: str) -> None:
    assert started(space, objectives, budget).picked == name


def test_it_says_what_it_picked_and_why() -> None:
    assert started(SMALL, 2, 100).remark == "auto picked predictor: 2 objectives, 15,625 candidates"
    assert started(SMALL, 1, 30_000).remark == "auto picked exhaustive: 30,000 trials list all 15,625 candidates"


def test_it_proposes_what_the_picked_one_would() -> None:
    auto, plain = started(SMALL, 1, 100), make_algorithm("predictor")
    plain.start(Problem(SMALL))
    for _ in range(12):
        batch = auto.propose(4)
        assert np.array_equal(batch, plain.propose(4))
        for algorithm in (auto, plain):
            algorithm.learn(Results(batch, batch.sum(axis=1, keepdims=True).astype(float), np.zeros(len(batch))))


def test_a_study_that_is_extended_keeps_what_was_picked() -> None:
    auto = started(LARGE, 1, 100)
    batch = auto.propose(4)
    results = Results(batch, batch[:, :1].astype(float), np.zeros(4))
    extended = started(LARGE, 1, 100_000)
    extended.restore(auto.state(), batch, results)
    auto.learn(results)
    assert extended.remark.startswith("auto picked predictor, kept from the study's beginning; now it would be regular")
    assert np.array_equal(extended.propose(30), auto.propose(30))
