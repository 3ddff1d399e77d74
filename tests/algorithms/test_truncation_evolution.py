"""What truncation evolution breeds, from whom and in what order; the settings of the searches that it stands for."""

from __future__ import annotations

import json

import numpy as np
import pyglove as pg
import pytest

from hardware_models.counts import Counts
from search.algorithms._base import Problem, Results
from search.algorithms.truncation_evolution import ELASTICVIT, TruncationEvolution
from search.known_metrics import KnownMetrics, known_scores
from search.objectives import parse_constraints, parse_objectives
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace

WIDE = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list(range(9))) for i in range(22)}))
PAIRS = GenotypeSpace(
    pg.Dict({f"{kind}{i}": pg.oneof(list(range(9))) for i in range(6) for kind in ("depth", "width")})
)


def started(space: GenotypeSpace = WIDE, **settings: object) -> TruncationEvolution:
    algorithm = TruncationEvolution(**settings)  # type: ignore[arg-type]
    algorithm.start(Problem(space, seed=7))
    return algorithm


def tell(algorithm: TruncationEvolution, genotypes: np.ndarray, scores: list[float]) -> None:
    algorithm.learn(Results(genotypes, np.array(scores, float)[:, None], np.zeros(len(genotypes))))


def parents_of(algorithm: TruncationEvolution, genotypes: np.ndarray) -> list[int]:
    return [json.loads(note)["parent"] for note in algorithm.notes(genotypes)]


def crossed(genotypes: np.ndarray, parents: np.ndarray) -> list[bool]:
    """Return which rows have every decision of one of the parents."""
    return (genotypes[:, None] == parents).any(axis=1).all(axis=1).tolist()


def test_a_generation_is_so_many_mutants_then_so_many_crossovers_however_it_is_asked_for() -> None:
    algorithm = started(population=6, parents=2, mutants=3, crossovers=2, mutation=1.0)
    first = algorithm.propose(6)
    tell(algorithm, first, [0, 5, 1, 2, 6, 3])
    batch = np.concatenate([algorithm.propose(count) for count in (1, 3, 2, 5, 4)])
    assert crossed(batch, first[[1, 4]]) == [False, False, False, True, True] * 3


def test_the_best_are_parents_until_better_ones_push_them_out() -> None:
    algorithm = started(population=6, parents=2, mutants=2, crossovers=2)
    tell(algorithm, algorithm.propose(6), [0, 5, 1, 2, 6, 3])
    second = algorithm.propose(4)
    assert set(parents_of(algorithm, second)) <= {1, 4}
    tell(algorithm, second[:3], [7, 5.5, 8])
    assert set(parents_of(algorithm, algorithm.propose(20))) == {1, 4}  # the generation is not complete
    tell(algorithm, second[3:], [0])
    assert set(parents_of(algorithm, algorithm.propose(20))) == {6, 8}


def test_elasticvits_generations_are_128_mutants_and_128_crossovers_of_the_best_256() -> None:
    counts = {name: ELASTICVIT[name] for name in ("population", "parents", "mutants", "crossovers")}
    algorithm = started(mutation=0.02, **counts)
    first = algorithm.propose(512)
    tell(algorithm, first, list(range(512)))
    batch = algorithm.propose(256)
    parents = parents_of(algorithm, batch)
    assert (min(parents) >= 256, len(set(parents)) > 100) == (True, True)
    assert ((batch != first[parents]).sum(axis=1) < 4).tolist() == [True] * 128 + [False] * 128


def test_settings_are_the_published_ones() -> None:
    once_for_all, released = TruncationEvolution(), TruncationEvolution(**ELASTICVIT)
    counts = ("population", "parents", "mutants", "crossovers")
    assert [getattr(once_for_all, name) for name in counts] == [100, 25, 50, 50]
    assert (once_for_all.mutation, once_for_all.trials(500)) == (0.1, 50_100)
    assert [getattr(released, name) for name in counts] == [512, 256, 128, 128]
    assert (released.structural_mutation, released.uniform) == (0.4, 0.45)
    assert released.trials(40) == 10_752


def test_elasticvits_structure_is_the_depths_of_all_stages_but_the_first() -> None:
    algorithm = started(GenotypeSpace(elasticvit()), **ELASTICVIT)
    names = [algorithm._space.columns[column].name for column in algorithm._structural]
    stages = ["convolutions[1]", "convolutions[2]", *(f"transformers[{i}]" for i in range(4))]
    assert names == [f"{stage}.depth" for stage in stages]


def test_a_structural_mutation_draws_all_of_its_columns_and_else_none() -> None:
    settings = {"structural": "depth", "structural_mutation": 0.4, "uniform": 0.0, "least": (8,) * 12}
    algorithm = started(PAIRS, population=40, parents=1, mutants=1, crossovers=0, mutation=0.5, **settings)
    first = algorithm.propose(40)
    tell(algorithm, first, [1, *[0] * 39])
    mutants = algorithm._mutants(1000)[0]
    depths = mutants[:, ::2]
    restructured = (depths == 8).all(axis=1)
    assert 350 < restructured.sum() < 450
    assert (depths[~restructured] == first[0, ::2]).all()
    changed = mutants[:, 1::2] != first[0, 1::2]
    assert (mutants[:, 1::2][changed] == 8).all()
    assert 0.45 < changed.mean() / (first[0, 1::2] != 8).mean() < 0.55


def test_what_is_drawn_anew_is_uniform_with_the_stated_probability_else_the_least() -> None:
    algorithm = started(population=2, parents=2, mutants=1, crossovers=1, mutation=1.0, uniform=0.45)
    tell(algorithm, algorithm.propose(2), [1, 0])
    mutants = algorithm._mutants(1000)[0]
    assert (mutants == 0).mean() == pytest.approx(0.55 + 0.45 / 9, abs=0.01)
    assert (mutants == 5).mean() == pytest.approx(0.45 / 9, abs=0.01)


def test_columns_that_belong_together_are_of_one_parent() -> None:
    algorithm = started(PAIRS, population=2, parents=2, mutants=0, crossovers=2, together=("depth", "width"))
    first = algorithm.propose(2)
    tell(algorithm, first, [1, 0])
    children = algorithm.propose(2)
    swapped = [
        [first[a, column] if column % 2 else first[b, column] for column in range(12)] for a, b in ((0, 1), (1, 0))
    ]
    assert sorted(children.tolist()) == sorted(np.array(swapped).tolist())


def test_every_proposal_lies_in_a_narrow_window_of_multiply_accumulates() -> None:
    space = GenotypeSpace(elasticvit("small", resolutions=(16,)))
    macs = KnownMetrics(space, [Counts(("macs",))])
    bounds = parse_constraints(["macs >= 2e6", "macs <= 2.04e6"])
    known = known_scores(macs, parse_objectives({"accuracy": "maximize"}), bounds)
    settings = ELASTICVIT | {"population": 16, "parents": 8, "mutants": 4, "crossovers": 4}
    algorithm = TruncationEvolution(**settings)
    algorithm.start(Problem(space, seed=1, known=known))
    for count in (16, 8, 8, 8):
        batch = algorithm.propose(count)
        assert len(batch) == count
        assert ((macs(batch) >= 2e6) & (macs(batch) <= 2.04e6)).all()
        tell(algorithm, batch, batch[:, 0].astype(float).tolist())


def test_it_ends_where_no_network_keeps_a_bound() -> None:
    algorithm = TruncationEvolution()
    algorithm.start(Problem(WIDE, known=lambda rows: (np.full((len(rows), 1), np.nan), np.ones(len(rows)))))
    assert (len(algorithm.propose(4)), algorithm.exhausted) == (0, True)


def test_restored_in_a_generation_it_goes_on_with_the_same_proposals() -> None:
    settings = ELASTICVIT | {"population": 16, "parents": 8, "mutants": 4, "crossovers": 4}
    one, other = (started(GenotypeSpace(elasticvit()), **settings) for _ in range(2))
    batches = []
    for count in (16, 3, 6):
        batches.append(one.propose(count))
        tell(one, batches[-1], batches[-1][:, 1].astype(float).tolist())
    past = np.concatenate(batches)
    scores = past[:, 1:2].astype(float)
    other.restore(json.loads(json.dumps(one.state())), past, Results(past, scores, np.zeros(len(past))))
    assert [one.propose(count).tolist() for count in (2, 9)] == [other.propose(count).tolist() for count in (2, 9)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parents": 101}, "2 parents .* to population, got parents=101, population=100"),
        ({"parents": 1}, "2 parents .* got parents=1, population=100"),
        ({"mutants": 0, "crossovers": 0}, "a child at least, got mutants=0, crossovers=0"),
        ({"uniform": 1.5}, "a probability from 0 to 1, got uniform=1.5"),
        ({"structural": "depth"}, "'depth' matches none of the space's columns: layer0, layer1"),
        ({"structural": "["}, r"'\[' is no regular expression: unterminated"),
        ({"together": "layer"}, "together is 'layer': expected a list"),
        ({"least": (9,) * 22}, "layer0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        started(**settings)
