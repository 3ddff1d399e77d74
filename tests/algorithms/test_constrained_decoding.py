"""The most probable genotypes within a budget, against all genotypes of small spaces."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.algorithms import _constrained_decoding
from search.algorithms._constrained_decoding import most_probable
from search.algorithms._learned import Budget, LogProbabilities, checked, independent, uniform
from spaces.genotype import GenotypeSpace

CHOICES = st.integers(1, 4).map(lambda count: pg.oneof(list(range(count))))
MANY = st.just(pg.manyof(2, "ab", distinct=False))
NESTED = st.lists(CHOICES | MANY | st.just("none"), min_size=2, max_size=3).map(pg.oneof)
SPACES = st.dictionaries(st.sampled_from("abcd"), CHOICES | MANY | NESTED, min_size=1).map(pg.Dict)


def random_problem(space: GenotypeSpace, rng: np.random.Generator, whole: bool) -> tuple[LogProbabilities, Budget]:
    """Return logs, some of them -inf, and costs; whole numbers, so that there are ties, or not."""
    logs, terms = [], []
    for column in space.columns:
        weights = rng.integers(1, 4, column.cardinality).astype(float) if whole else rng.random(column.cardinality)
        weights[1:] *= rng.random(column.cardinality - 1) < 0.8
        logs.append(np.log(weights / weights.sum(), out=np.full(len(weights), -np.inf), where=weights > 0))
        costs = rng.integers(0, 4, column.cardinality).astype(float) if whole else rng.normal(size=column.cardinality)
        terms.append(costs if column.parent < 0 else costs - costs[0])
    bound = sum(rng.choice(each) for each in terms) + 2.0
    return tuple(logs), Budget(2.0, tuple(terms), float(bound))


def all_of(space: GenotypeSpace, logs: LogProbabilities, budget: Budget) -> np.ndarray:
    """Return the log-probabilities of all genotypes within the budget that have a probability, the largest first."""
    assert space.size is not None
    rows = space.enumerate(0, space.size)
    on = space.active(rows)
    choose = [np.stack([each[i][rows[:, i]] for i in range(space.width)], 1) for each in (logs, budget.terms)]
    total, cost = (np.where(on, each, 0.0).sum(axis=1) for each in choose)
    return -np.sort(-total[(budget.constant + cost <= budget.bound + 1e-9) & np.isfinite(total)])


def log_probability(space: GenotypeSpace, logs: LogProbabilities, rows: np.ndarray) -> np.ndarray:
    each = np.stack([logs[i][rows[:, i]] for i in range(space.width)], 1)
    return np.asarray(np.where(space.active(rows), each, 0.0).sum(axis=1))


@pytest.mark.parametrize("beam", [1, 512])
@settings(max_examples=40)
@given(SPACES, st.integers(0, 10_000), st.booleans(), st.sampled_from([1, 3, 64]))
def test_they_are_the_best_of_all(beam: int, value: Any, seed: int, whole: bool, count: int) -> None:
    space = GenotypeSpace(value)
    logs, budget = random_problem(space, np.random.default_rng(seed), whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_constrained_decoding, "LEAST_BEAM", beam)
        patch.setattr(_constrained_decoding, "BEAM", 1)
        found = most_probable(space, logs, count, budget)
    expected = all_of(space, logs, budget)[:count]
    assert found.exact
    assert space.valid(found.genotypes).all()
    assert len(space.unique(found.genotypes)) == len(found.genotypes)
    assert log_probability(space, logs, found.genotypes) == pytest.approx(expected, abs=1e-9)


LAYERS = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list(range(9))) for i in range(22)}))


def test_a_large_space_takes_far_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    logs = tuple(np.log(rng.dirichlet(np.ones(9))) for _ in range(22))
    budget = Budget(0.0, tuple(rng.random(9) for _ in range(22)), 6.0)
    began = time.process_time()
    found = most_probable(LAYERS, logs, 64, budget)
    assert time.process_time() - began < 0.5
    assert found.exact
    assert len(found.genotypes) == 64


def test_equal_log_probabilities_give_genotypes_within_the_budget() -> None:
    terms = tuple(np.arange(9.0) for _ in range(22))
    found = most_probable(LAYERS, uniform(LAYERS), 64, Budget(0.0, terms, 3.0))
    assert len(LAYERS.unique(found.genotypes)) == 64
    assert found.genotypes.sum(axis=1).max() <= 3


def test_a_budget_that_nothing_keeps_gives_none() -> None:
    terms = tuple(np.ones(9) for _ in range(22))
    assert most_probable(LAYERS, uniform(LAYERS), 4, Budget(0.0, terms, 21.0)).genotypes.shape == (0, 22)


def test_what_is_not_certain_is_said() -> None:
    rng = np.random.default_rng(0)
    terms = tuple(rng.random(9) for _ in range(22))
    logs = tuple(3 * each + 1e-3 * rng.normal(size=9) for each in terms)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_constrained_decoding, "MOST", 600)
        found = most_probable(LAYERS, logs, 64, Budget(0.0, terms, 8.0))
    assert (found.exact, len(found.genotypes)) == (False, 64)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pg.Dict(a=pg.oneof([1, 2]), b=pg.manyof(2, "abc", distinct=False)), True),
        (pg.Dict(a=pg.manyof(2, "abc", distinct=True)), False),
        (pg.Dict(a=pg.manyof(2, "abc", distinct=False, sorted=True)), False),
        (pg.Dict(a=pg.floatv(0.0, 1.0)), False),
    ],
)
def test_columns_that_are_bound_to_each_other_are_seen(value: Any, expected: bool) -> None:
    assert independent(GenotypeSpace(value)) is expected


def test_a_distribution_of_another_shape_or_sum_is_refused() -> None:
    space = GenotypeSpace(pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof([1, 2, 3])))
    with pytest.raises(ValueError, match="over 1 columns is not one over the space's 2"):
        checked(space, (np.zeros(2),))
    with pytest.raises(ValueError, match=r"distribution of b has shape \(2,\): expected \(3,\)"):
        checked(space, (np.log([0.5, 0.5]), np.log([0.5, 0.5])))
    with pytest.raises(ValueError, match="probabilities of a add up to 2: expected"):
        checked(space, (np.zeros(2), np.log([0.5, 0.25, 0.25])))
