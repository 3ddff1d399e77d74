"""What each algorithm says that it supports, tried: a wrong claim fails, whichever way it is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from algorithm_problems import SPACES, results

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._supports import Supports, check_supported
from search.algorithms.registry import algorithm_class, algorithm_names, make_algorithm
from spaces.genotype import GenotypeSpace

ALGORITHMS = algorithm_names()


def started(name: str, space: str = "flat", objectives: int = 1, **settings: object) -> Algorithm:
    algorithm = make_algorithm(name, **settings)
    algorithm.start(Problem(GenotypeSpace(SPACES[space]()), objectives, seed=4))
    return algorithm


def step(algorithm: Algorithm, count: int = 8, objectives: int = 1) -> np.ndarray:
    genotypes = algorithm.propose(count)
    algorithm.learn(results(genotypes, objectives))
    return genotypes


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_it_takes_as_many_objectives_as_it_says_and_no_more(name: str, objectives: int) -> None:
    most = algorithm_class(name).supports.objectives
    if most is None or objectives <= most:
        algorithm = started(name, objectives=objectives)
        assert [len(step(algorithm, 12, objectives)) for _ in range(4)] == [12] * 4
    else:
        with pytest.raises(ValueError, match=f"objective.*{objectives}.*use "):
            started(name, objectives=objectives)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_takes_open_floats_if_it_says_so(name: str) -> None:
    if algorithm_class(name).supports.floats:
        algorithm = started(name, "mixed")
        rates = np.concatenate([step(algorithm) for _ in range(4)])[:, 0]
        assert len(np.unique(rates.round(6))) > 10
        assert ((rates >= 1e-4) & (rates <= 1e-1)).all()
    else:
        with pytest.raises(ValueError, match="open floats; use "):
            started(name, "mixed")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_takes_conditional_decisions_if_it_says_so(name: str) -> None:
    if algorithm_class(name).supports.conditional:
        algorithm = started(name, "conditional")
        proposed = np.concatenate([step(algorithm, 3) for _ in range(7)])
        assert len(np.unique(proposed, axis=0)) == 21
        assert (proposed[proposed[:, 0] == 1][:, 1:3] == 0).all()
    else:
        with pytest.raises(ValueError, match=r"conditional decisions.*use "):
            started(name, "conditional")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_proposes_batches_before_any_result_if_it_says_so(name: str) -> None:
    algorithm = started(name)
    if algorithm_class(name).supports.batches:
        batch = np.concatenate([algorithm.propose(30), algorithm.propose(30)])
        algorithm.learn(results(batch[::-1]))
        assert len(np.unique(np.concatenate([batch, algorithm.propose(30)]), axis=0)) == 90
    else:
        with pytest.raises(ValueError, match="one at a time, and 2 were asked for"):
            algorithm.propose(2)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_violations_that_an_evaluation_shows_count_if_it_says_so(name: str) -> None:
    warned, unwarned = started(name), started(name)
    for _ in range(8):
        genotypes = warned.propose(16)
        same = np.array_equal(genotypes, unwarned.propose(16))
        if not same:
            break
        warned.learn(Results(genotypes, results(genotypes).scores, genotypes[:, 0] / 4.0))
        unwarned.learn(results(genotypes))
    assert same == (algorithm_class(name).supports.constraints == "known")


INEXACT = {"pyglove": {"options": {"seed": 1, "population_size": 10, "tournament_size": 3}}}
"""Settings that show that an algorithm does not resume exactly, where the default ones happen to."""


@pytest.mark.parametrize("name", ALGORITHMS)
def test_restored_it_goes_on_exactly_if_it_says_so_and_only_then(name: str) -> None:
    settings = INEXACT.get(name, {})
    one, other = started(name, **settings), started(name, **settings)
    past, notes = [], []
    for _ in range(4):
        past.append(one.propose(6))
        notes += one.notes(past[-1])
        one.learn(results(past[-1]))
    every = np.concatenate(past)
    other.recall(notes)
    other.restore(json.loads(json.dumps(one.state())), every, results(every))
    exact = all(np.array_equal(step(one), step(other)) for _ in range(4))
    assert exact == algorithm_class(name).supports.exact_resume


@pytest.mark.parametrize(
    ("claim", "space", "words"),
    [
        (Supports(objectives=1), "flat", "toy takes one objective, got 2; use algorithm = 'nsga2'"),
        (Supports(floats=False), "mixed", "toy needs a finite space, and this one has open floats"),
        (Supports(conditional=False), "conditional", "toy needs a space without conditional decisions"),
    ],
)
def test_what_is_not_supported_is_refused_in_words(claim: Supports, space: str, words: str) -> None:
    problem = Problem(GenotypeSpace(SPACES[space]()), objectives=2)
    with pytest.raises(ValueError, match=words):
        check_supported("toy", claim, problem)


def test_all_is_taken_that_is_not_excluded() -> None:
    check_supported("toy", Supports(), Problem(GenotypeSpace(SPACES["mixed"]()), objectives=3))
