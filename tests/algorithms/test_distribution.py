"""The algorithm `distribution`: what it proposes first, in whose turn, within which bounds, and after a restoration."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from algorithm_problems import results

from search.algorithms._base import Problem
from search.algorithms._learned import Budget, LogProbabilities
from search.algorithms.distribution import Distribution
from search.algorithms.separate import Separate
from spaces.genotype import GenotypeSpace

SPACE = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list(range(4))) for i in range(8)}))


def peaked(choice: int, weight: float = 0.9) -> LogProbabilities:
    """Return a distribution that prefers one choice in every column; of the others, the higher ones."""
    rest = np.arange(1.0, 5)
    rest[choice] = 0
    chances = (1 - weight) * rest / rest.sum()
    chances[choice] = weight
    return tuple(np.log(chances) for _ in SPACE.columns)


def started(*learnt: LogProbabilities, most_probable: int = 1, **problem: Any) -> Distribution:
    algorithm = Distribution(most_probable)
    algorithm.start(Problem(SPACE, distributions=learnt, **problem))
    return algorithm


def at_most(bound: float, **changes: Any) -> dict[str, Any]:
    """Return the problem in which a choice costs its number, and at most `bound` in all is allowed."""

    def known(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full((len(rows), 1), np.nan), np.maximum(rows.sum(axis=1).astype(float) - bound, 0)

    return {"known": known, "costs": (Budget(0.0, tuple(np.arange(4.0) for _ in range(8)), bound),), **changes}


def test_the_most_probable_comes_first_and_then_others_as_probable_as_they_are() -> None:
    proposed = started(peaked(2)).propose(200)
    assert proposed[0].tolist() == [2] * 8
    assert len(SPACE.unique(proposed)) == 200
    assert 0.6 < (proposed == 2).mean() < 0.85


def test_several_distributions_take_turns_whatever_the_batches() -> None:
    algorithm = started(peaked(0), peaked(3), peaked(2))
    proposed = np.concatenate([algorithm.propose(count) for count in (1, 4, 2, 5)])
    assert [np.bincount(row, minlength=4).argmax() for row in proposed] == [0, 3, 2] * 4
    assert proposed[:3].tolist() == [[0] * 8, [3] * 8, [2] * 8]


def test_the_most_probable_within_a_budget_is_decoded() -> None:
    proposed = started(peaked(3), most_probable=3, **at_most(12)).propose(3)
    assert np.sort(proposed, axis=1).tolist() == [[0, 0, 0, 0, 3, 3, 3, 3]] * 3


def test_a_budget_that_draws_never_keep_is_met_by_decoding() -> None:
    proposed = started(peaked(3, 0.9999), most_probable=0, **at_most(2)).propose(40)
    assert len(SPACE.unique(proposed)) == 40
    assert proposed.sum(axis=1).max() <= 2


def test_a_second_budget_is_kept_by_what_is_decoded_under_the_tightest() -> None:
    def known(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full((len(rows), 1), np.nan), (rows.sum(axis=1) > 12) + (rows[:, 0] > 1).astype(float)

    first = Budget(0.0, (np.arange(4.0), *(np.zeros(4) for _ in range(7))), 1.0)
    proposed = started(peaked(3), **at_most(12, known=known, costs=(first, *at_most(12)["costs"]))).propose(1)
    assert np.sort(proposed[0]).tolist() == [0, 0, 0, 0, 3, 3, 3, 3]
    assert proposed[0, 0] == 0


def test_a_bound_that_does_not_add_up_is_met_by_drawing_again() -> None:
    algorithm = started(peaked(3, 0.6), **at_most(14, costs=()))
    assert algorithm.propose(20).sum(axis=1).max() <= 14
    assert "bounds do not add up over the decisions, and are met by trying" in algorithm.remark


def test_without_a_distribution_it_says_so_and_is_uniform() -> None:
    algorithm = started()
    assert algorithm.remark == "no preparation has learnt a distribution: every choice is as probable as any other"
    assert 0.2 < (algorithm.propose(300) == 3).mean() < 0.3


def test_restored_it_makes_the_same_proposals_of_several_distributions() -> None:
    one, other = (started(peaked(0, 0.99), peaked(3), **at_most(18)) for _ in range(2))
    past = np.concatenate([one.propose(3) for _ in range(9)])
    other.restore(json.loads(json.dumps(one.state())), past, results(past))
    for count in (1, 5, 2) * 8:
        assert np.array_equal(one.propose(count), other.propose(count))


def test_within_a_search_flow_it_proposes_from_the_part_that_is_open() -> None:
    flow = Separate(algorithm=Distribution())
    flow.start(Problem(SPACE, distributions=(peaked(2),), budget=40))
    assert flow.propose(1)[0, :4].tolist() == [2] * 4


def test_a_distribution_of_another_space_and_a_negative_number_are_refused() -> None:
    with pytest.raises(ValueError, match="over 3 columns is not one over the space's 8"):
        started(peaked(0)[:3])
    with pytest.raises(ValueError, match="most_probable is -1: expected a number of genotypes, 0 or more"):
        started(most_probable=-1)
