"""What holds for every algorithm on random small spaces, whatever is pending, late, lost or violated."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from algorithm_problems import SMALL_SPACES, SPACES, judged
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from search.algorithms._base import Algorithm, Problem
from search.algorithms.registry import algorithm_class, algorithm_names, make_algorithm
from spaces.genotype import GenotypeSpace

ADAPTERS = ("optuna", "pyglove")
"""Other people's algorithms, at many milliseconds a proposal."""

ALGORITHMS = algorithm_names()
NATIVE = [name for name in ALGORITHMS if name not in ADAPTERS]
STEPS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12)), min_size=3, max_size=6)
"""How many are proposed, and of those that wait how many are told then."""

quick = settings(max_examples=12, suppress_health_check=list(HealthCheck))


class Search:
    """An algorithm with all that it proposed, in order; what was not told yet waits, and is told out of order."""

    def __init__(self, name: str, space: GenotypeSpace, objectives: int, seed: int) -> None:
        """Begin without trials."""
        self.objectives, self.space = objectives, space
        self.algorithm = begun(name, space, objectives, seed)
        none = space.sample(0, np.random.default_rng())
        self.proposed, self.told, self.waiting = none, none, none
        self.order = np.random.default_rng(seed)

    def step(self, count: int, told: int) -> np.ndarray:
        """Propose `count`, tell up to `told` of what waits; return the proposals."""
        batch = self.algorithm.propose(count)
        self.proposed = np.concatenate([self.proposed, batch])
        self.waiting = self.order.permutation(np.concatenate([self.waiting, batch]))
        now, self.waiting = self.waiting[:told], self.waiting[told:]
        self.algorithm.learn(judged(now, self.objectives))
        self.told = np.concatenate([self.told, now])
        return batch


def begun(name: str, space: GenotypeSpace, objectives: int, seed: int) -> Algorithm:
    algorithm = make_algorithm(name)
    try:
        algorithm.start(Problem(space, objectives, seed))
    except ValueError:  # the search flows need a space of two parts
        assume(False)
    return algorithm


def supported(name: str, space: GenotypeSpace, objectives: int) -> bool:
    supports = algorithm_class(name).supports
    return objectives <= (supports.objectives or objectives) and (supports.floats or space.size is not None)


@pytest.mark.parametrize("name", ALGORITHMS)
@quick
@given(SMALL_SPACES, st.integers(1, 2), st.integers(0, 99), STEPS)
def test_nothing_is_proposed_twice_while_batches_are_pending(
    name: str, value: Any, objectives: int, seed: int, steps: list[tuple[int, int]]
) -> None:
    space = GenotypeSpace(value)
    assume(supported(name, space, objectives))
    search = Search(name, space, objectives, seed)
    for count, told in steps:
        left = np.inf if space.size is None else space.size - len(search.proposed)
        assert len(search.step(count, told)) == min(count, left)
        assert search.algorithm.exhausted == (left < count)
    assert space.valid(search.proposed).all()
    assert len(space.unique(search.proposed)) == len(search.proposed)


@pytest.mark.parametrize("name", NATIVE)
@settings(quick, max_examples=4)
@given(
    st.sampled_from([SPACES["flat"](), SPACES["mixed"]()]) | SMALL_SPACES, st.integers(1, 2), st.integers(0, 99), STEPS
)
def test_restored_at_any_point_it_makes_the_same_next_100_proposals(
    name: str, value: Any, objectives: int, seed: int, steps: list[tuple[int, int]]
) -> None:
    space = GenotypeSpace(value)
    assume(supported(name, space, objectives))
    one, other = Search(name, space, objectives, seed), Search(name, space, objectives, seed)
    for count, told in steps:
        one.step(count, told)
    other.proposed, other.told, other.waiting = one.proposed, one.told, one.waiting
    other.order.bit_generator.state = one.order.bit_generator.state
    state = json.loads(json.dumps(one.algorithm.state()))
    other.algorithm.restore(state, one.proposed, judged(one.told, objectives))
    for count in (1, 7, 12) * 5:
        assert np.array_equal(one.step(count, 6), other.step(count, 6))
