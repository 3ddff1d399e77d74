"""PyGlove's generators as algorithms: seeds, metadata, resumption, and what they refuse."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._dna_notes import dna_of, note_of
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace

SPACE = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list(range(5))) for i in range(6)}))


def started(seed: int = 3, objectives: int = 1, **settings: Any) -> Algorithm:
    """Return an algorithm at the start."""
    algorithm = make_algorithm("pyglove", **settings)
    algorithm.start(Problem(SPACE, objectives, seed))
    return algorithm


def step(algorithm: Algorithm, notes: list[str], past: list[np.ndarray]) -> np.ndarray:
    """Propose one genotype and tell its result, and note both."""
    batch = algorithm.propose(1)
    notes += algorithm.notes(batch)
    past.append(batch)
    algorithm.learn(told(batch))
    return batch


def told(batch: np.ndarray) -> Results:
    """Return results that depend on the genotypes alone."""
    return Results(batch, batch.sum(axis=1, keepdims=True).astype(float), np.zeros(len(batch)))


@pytest.mark.parametrize("generator", ["regularized_evolution", "random", "sweeping"])
def test_what_recover_can_rebuild_goes_on_exactly(generator: str) -> None:
    notes: list[str] = []
    past: list[np.ndarray] = []
    options = {"population_size": 10, "tournament_size": 3} if generator == "regularized_evolution" else {}
    one, other = (started(generator=generator, options=options) for _ in range(2))
    for _ in range(20):
        step(one, notes, past)
    state = json.loads(json.dumps(one.state()))
    every = np.concatenate(past)
    other.recall(notes)
    other.restore(state, every, told(every))
    assert all(np.array_equal(step(one, [], []), step(other, [], [])) for _ in range(20))


def test_the_study_seed_decides_what_a_generator_without_one_proposes() -> None:
    proposals = [started(seed).propose(5).tolist() for seed in (1, 1, 2)]
    assert proposals[0] == proposals[1] != proposals[2]


def test_pythons_own_random_numbers_are_left_alone() -> None:
    random.seed(5)
    expected = random.random()
    random.seed(5)
    algorithm = started()
    algorithm.learn(told(algorithm.propose(3)))
    assert random.random() == expected


def test_evolution_learns() -> None:
    algorithm = started(options={"population_size": 10, "tournament_size": 5})
    best = 0
    for _ in range(120):
        batch = algorithm.propose(1)
        best = max(best, int(batch.sum()))
        algorithm.learn(told(batch))
    assert best >= 20


def test_a_note_gives_the_metadata_back() -> None:
    dna = SPACE.to_dna(np.zeros(6, np.uint8))
    dna.set_metadata("reward", (1.0, 2.5)).set_metadata("kept", {"a": [1]}, cloneable=True)
    again = dna_of(SPACE, np.zeros(6, np.uint8), note_of(dna))
    assert (again, again.metadata.reward, again.metadata.kept) == (dna, (1.0, 2.5), {"a": [1]})
    assert again.spec is SPACE.dna_spec
    assert again.clone().metadata == {"kept": {"a": [1]}}


def test_no_object_is_made_of_a_note() -> None:
    hostile = {"_type": "type", "name": "os.system"}
    note = json.dumps({"metadata": {"bad": hostile, "deep": [{"in": hostile}], "good": 1}})
    assert dict(dna_of(SPACE, np.zeros(6, np.uint8), note).metadata) == {"good": 1}


def test_nsga2_takes_several_objectives_and_evolution_does_not() -> None:
    assert len(started(objectives=2, generator="nsga2").propose(4)) == 4
    with pytest.raises(ValueError, match="optimizes one objective, and there are 2; use 'nsga2'"):
        started(objectives=2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generator": "bogus"}, "generator 'bogus' is unknown: expected a pg.DNAGenerator or one of"),
        ({"options": {"size": 3}}, "options {'size': 3} are not those of 'regularized_evolution'"),
    ],
)
def test_unknown_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        started(**settings)


def test_settings_are_plain_and_equal_for_equal_generators() -> None:
    made = [make_algorithm("pyglove", generator=pg.evolution.regularized_evolution()).settings for _ in range(2)]
    assert json.dumps(made[0]) == json.dumps(made[1])
