"""Which trial a proposal was bred from: told with it by the algorithms that breed, also after they were restored."""

from __future__ import annotations

import json

import numpy as np
import pytest
from algorithm_problems import SPACES, results

from search.algorithms._base import Algorithm, Problem
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace

SPACE = GenotypeSpace(SPACES["flat"]())


def parents_of(algorithm: Algorithm, count: int) -> tuple[np.ndarray, list[int | None]]:
    """Return proposals that are told at once, and the number of the trial that each says it was bred from."""
    genotypes = algorithm.propose(count)
    notes = algorithm.notes(genotypes)
    algorithm.learn(results(genotypes))
    return genotypes, [json.loads(note)["parent"] if note else None for note in notes]


@pytest.mark.parametrize(("name", "furthest"), [("regularized_evolution", 1), ("local_search", 1), ("hill_climb", 6)])
def test_a_proposal_is_near_its_parent(name: str, furthest: int) -> None:
    algorithm = make_algorithm(name)
    algorithm.start(Problem(SPACE, seed=3))
    proposed, parents = zip(*(parents_of(algorithm, 5) for _ in range(60)), strict=True)
    genotypes, numbers = np.concatenate(proposed), [number for batch in parents for number in batch]
    bred = [(child, parent) for child, parent in enumerate(numbers) if parent is not None]
    changed = [int((genotypes[child] != genotypes[parent]).sum()) for child, parent in bred]
    assert len(bred) > 100
    assert all(parent < child for child, parent in bred)
    assert (min(changed), max(changed) <= furthest) == (1, True)  # a hill climber walks on where all is known


def test_numbers_go_on_where_it_was_restored() -> None:
    one, other = make_algorithm("nsga2"), make_algorithm("nsga2")
    one.start(Problem(SPACE, objectives=1, seed=3))
    past = np.concatenate([parents_of(one, 5)[0] for _ in range(12)])
    other.start(Problem(SPACE, objectives=1, seed=3))
    other.restore(json.loads(json.dumps(one.state())), past, results(past))
    numbers = parents_of(other, 8)[1]
    assert numbers == parents_of(one, 8)[1]
    assert all(number is not None and 0 <= number < 60 for number in numbers)


def test_random_proposals_have_no_parent() -> None:
    algorithm = make_algorithm("random")
    algorithm.start(Problem(SPACE))
    assert parents_of(algorithm, 3)[1] == [None, None, None]
