"""What nsga2, local_search and hill_climb propose, and that they go on exactly when results come late and mixed."""

from __future__ import annotations

import json

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._neighbourhood import neighbourhood
from search.algorithms._novelty import walk_to_new
from search.algorithms.registry import make_algorithm
from spaces.genotype import GenotypeSpace

NAMES = ("nsga2", "local_search", "hill_climb")
FLAT = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list(range(4))) for i in range(7)}))
WIDE = GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof(list(range(9))) for i in range(22)}))
MIXED = GenotypeSpace(
    pg.Dict(rate=pg.floatv(1e-4, 1e-1, scale="log"), part=pg.floatv(0.0, 1.0), name=pg.oneof(["a", "b"]))
)


def judged(genotypes: np.ndarray, objectives: int = 2) -> Results:
    """Return conflicting made-up scores, one in nine of them missing, and violations for one in five."""
    sums = genotypes.astype(float).sum(axis=1)
    turns = np.cos(genotypes.astype(float) * np.arange(1, genotypes.shape[1] + 1)).sum(axis=1)
    scores = np.stack([sums, turns - 0.3 * sums, -turns], axis=1)[:, :objectives]
    scores[(sums.astype(int) % 9) == 0] = np.nan
    return Results(genotypes, scores, np.where(sums.astype(int) % 5 == 1, sums / 10, 0.0))


def started(
    name: str, space: GenotypeSpace = FLAT, objectives: int = 1, seed: int = 0, **settings: object
) -> Algorithm:
    algorithm = make_algorithm(name, **settings)
    algorithm.start(Problem(space, objectives, seed))
    return algorithm


def told(genotypes: np.ndarray, scores: list[float]) -> Results:
    return Results(genotypes, np.array(scores, float)[:, None], np.zeros(len(genotypes)))


def distances(genotypes: np.ndarray, to: np.ndarray) -> list[int]:
    return (genotypes != to).sum(axis=1).tolist()


@pytest.mark.parametrize("objectives", [1, 2, 3])
@pytest.mark.parametrize("name", [*NAMES, "truncation_evolution", "full_neighbourhood"])
@pytest.mark.parametrize("space", [FLAT, MIXED])
def test_restored_at_any_point_it_goes_on_exactly_though_results_come_late_and_mixed(
    name: str, space: GenotypeSpace, objectives: int
) -> None:
    settings = {"first_improvement": False, "initial": 3} if name == "full_neighbourhood" else {}
    name = "local_search" if settings else name
    order = np.random.default_rng(3)
    one = started(name, space, objectives, seed=11, **settings)
    proposed = [one.propose(6)]
    waiting, past = proposed[0], proposed[0][:0]
    for count in (1, 5, 2, 12, 1, 7) * 7:
        now = order.permutation(len(waiting))[: max(1, len(waiting) - 3)]
        one.learn(judged(waiting[now], objectives))
        past, waiting = np.concatenate([past, waiting[now]]), np.delete(waiting, now, axis=0)
        other = started(name, space, objectives, seed=11, **settings)
        other.restore(json.loads(json.dumps(one.state())), np.concatenate(proposed), judged(past, objectives))
        batch = one.propose(count)
        assert np.array_equal(batch, other.propose(count))
        proposed.append(batch)
        waiting = np.concatenate([waiting, batch])


def test_local_search_tries_the_neighbours_of_the_best_and_moves_when_one_is_better() -> None:
    algorithm = started("local_search", initial=2)
    first = algorithm.propose(2)
    algorithm.learn(told(first, [1.0, 2.0]))
    batch = algorithm.propose(3)
    assert distances(batch, first[1]) == [1, 1, 1]
    algorithm.learn(told(batch, [0.0, 3.0, 0.0]))
    assert distances(algorithm.propose(2), batch[1]) == [1, 1]


def test_local_search_may_propose_a_whole_neighbourhood_first() -> None:
    algorithm = started("local_search", initial=1, first_improvement=False)
    centre = algorithm.propose(1)
    algorithm.learn(told(centre, [0.0]))
    for _ in range(21):
        batch = algorithm.propose(1)
        assert distances(batch, centre[0]) == [1]
        algorithm.learn(told(batch, [float(batch.sum())]))
    assert distances(algorithm.propose(1), centre[0]) != [1]


def test_local_search_starts_afresh_when_no_neighbour_is_better() -> None:
    algorithm = started("local_search", initial=1)
    centre = algorithm.propose(1)
    algorithm.learn(told(centre, [1.0]))
    algorithm.learn(told(algorithm.propose(21), [0.0] * 21))
    start = algorithm.propose(1)
    assert distances(start, centre[0])[0] > 1
    algorithm.learn(told(start, [-5.0]))
    assert distances(algorithm.propose(3), start[0]) == [1, 1, 1]


def test_local_search_goes_on_with_a_run_whose_last_result_was_late_and_better() -> None:
    algorithm = started("local_search", initial=5)
    algorithm.learn(told(algorithm.propose(5), [1.0, 0.0, 0.0, 0.0, 0.0]))
    batch = algorithm.propose(24)
    algorithm.learn(told(batch[[*range(20), 21, 22, 23]], [0.0] * 23))
    assert distances(algorithm.propose(1), batch[20]) != [1]
    algorithm.learn(told(batch[20:21], [2.0]))
    assert distances(algorithm.propose(2), batch[20]) == [1, 1]


def test_local_search_does_not_wait_for_ever_for_a_result_that_never_comes() -> None:
    algorithm = started("local_search", initial=2)
    algorithm.learn(told(algorithm.propose(2), [1.0, 0.0]))
    algorithm.learn(told(algorithm.propose(21)[1:], [0.0] * 20))
    starts = algorithm.propose(2)
    algorithm.learn(told(starts, [-1.0, -2.0]))
    assert distances(algorithm.propose(3), starts[0]) == [1, 1, 1]


def test_pareto_local_search_tries_the_neighbours_of_every_non_dominated_point() -> None:
    algorithm = started("local_search", objectives=2, initial=3)
    first = algorithm.propose(3)
    algorithm.learn(Results(first, np.array([[2.0, 0.0], [0.0, 2.0], [0.0, 0.0]]), np.zeros(3)))
    batch = algorithm.propose(42)
    near = [(batch != point).sum(axis=1) == 1 for point in first[:2]]
    assert (near[0] | near[1]).all()
    assert near[0].sum() == near[1].sum() == 21


def test_hill_climbing_mutates_the_newest_of_the_best_and_walks_on_where_all_is_tried() -> None:
    algorithm = started("hill_climb", initial=3)
    first = algorithm.propose(3)
    algorithm.learn(told(first, [2.0, 1.0, 2.0]))
    batch = algorithm.propose(60)
    steps = distances(batch, first[2])
    assert steps.count(1) == 21
    assert max(steps) <= 4


def test_nsga2_breeds_from_the_survivors_of_the_last_complete_generation() -> None:
    algorithm = started("nsga2", WIDE, population=4, offspring=4, mutation=0.0, crossover=1.0)
    first = algorithm.propose(4)
    for rows, low, high in ((first[:3], 8, 22), (first[3:], 0, 1)):  # a child of one parent twice is mutated
        algorithm.learn(told(rows, [0.0] * len(rows)))
        foreign = [(child != first).all(axis=0).sum() for child in algorithm.propose(5)]
        assert low <= min(foreign) <= max(foreign) <= high


def test_nsga2_lets_a_point_that_violates_survive_only_while_too_few_do_not() -> None:
    algorithm = started("nsga2", population=2, offspring=2)
    batch = algorithm.propose(4)
    algorithm.learn(Results(batch[:2], np.array([[9.0], [8.0]]), np.array([0.2, 0.1])))
    algorithm.learn(Results(batch[2:], np.array([[1.0], [np.nan]]), np.array([0.0, 0.3])))
    assert algorithm._pool.genotypes.tolist() == batch[[2, 1]].tolist()


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("nsga2", {"population": 1}, "population >= 2 and offspring >= 1, got 1 and 10"),
        ("nsga2", {"mutation": 1.5}, "probabilities from 0 to 1, got crossover=0.9, mutation=1.5"),
        ("local_search", {"initial": 0}, "initial >= 1, got 0"),
        ("hill_climb", {"initial": -1}, "initial >= 1, got -1"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        started(name, **settings)


def test_a_float_is_moved_both_ways_on_its_scale_and_not_beyond_its_bounds() -> None:
    low = MIXED.repair(np.array([[1e-4, 0.5, 0.0]]))[0]
    rows = neighbourhood(MIXED, low)
    assert MIXED.valid(rows).all()
    assert rows[rows[:, 0] != low[0], 0] == pytest.approx([10**-3.25, 10**-3.85, 10**-3.97])
    assert rows[rows[:, 1] != 0.5, 1] == pytest.approx([0.75, 0.25, 0.55, 0.45, 0.51, 0.49])
    assert rows[rows[:, 2] != 0.0, 2].tolist() == [1.0]


def test_a_walk_leaves_new_rows_alone_and_takes_the_others_to_new_ones() -> None:
    rows = FLAT.enumerate(0, 3)
    seen = set(FLAT.keys(rows[1:]))
    walked = walk_to_new(FLAT, np.concatenate([rows, rows[:1]]), seen, np.random.default_rng(0))
    assert walked[0].tolist() == rows[0].tolist()
    assert len(seen | set(FLAT.keys(walked))) == 2 + 4
