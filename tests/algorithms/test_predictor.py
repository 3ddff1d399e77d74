"""The predictor: what it proposes first, how it learns, that it is bounded and goes on exactly after a restart."""

from __future__ import annotations

import json
import time

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._base import Problem, Results
from search.algorithms.predictor import Predictor
from search.objectives import hypervolume
from spaces.genotype import GenotypeSpace


def flat(width: int = 6, choices: int = 5) -> GenotypeSpace:
    return GenotypeSpace(pg.Dict({f"layer{i}": pg.oneof([f"op{c}" for c in range(choices)]) for i in range(width)}))


def known_sum(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two scores of which the second, minus the sum of the choices, is known."""
    total = genotypes.sum(axis=1).astype(float)
    return np.stack([np.full(len(total), np.nan), -total], axis=1), np.zeros(len(total))


def started(space: GenotypeSpace, objectives: int = 1, **problem: object) -> Predictor:
    predictor = Predictor()
    predictor.start(Problem(space, objectives, **problem))  # type: ignore[arg-type]
    return predictor


def tell(
    predictor: Predictor, genotypes: np.ndarray, *scores: np.ndarray, violations: np.ndarray | None = None
) -> None:
    excess = np.zeros(len(genotypes)) if violations is None else violations
    predictor.learn(Results(genotypes, np.stack(scores, axis=1).astype(float), excess))


def test_first_trials_are_spread_over_a_known_objective() -> None:
    first = started(flat(), 2, known=known_sum).propose(16).sum(axis=1)
    random = flat().sample(16, np.random.default_rng(0)).sum(axis=1)
    assert np.ptp(first) >= 16 > np.ptp(random)


def test_first_trials_are_far_apart_where_nothing_is_known() -> None:
    first = started(flat()).propose(5)
    distances = (first[:, None, :] != first[None, :, :]).sum(axis=2)[np.triu_indices(5, 1)]
    assert distances.min() >= 5


def test_quality_counts_from_no_lower_than_the_model_can_tell() -> None:
    predictor = started(flat(), 2, known=known_sum)
    rows = predictor.propose(16)
    quality = np.array([-1000.0] * 6 + [4.0] * 5 + [6.0] * 5)  # the median is 4, values are clipped at 3
    tell(predictor, rows, quality, -rows.sum(axis=1))
    assert predictor._view(0.25)[0][0] == 3.0
    assert predictor._view(0.5)[0][0] == 4.0


def test_a_planted_optimum_is_found() -> None:
    space = flat()
    best = np.array([1, 4, 0, 2, 3, 1])
    predictor = started(space)
    found = 0
    while found < 6 and len(predictor._seen) < 60:
        row = predictor.propose(1)
        found = int((row == best).sum())
        tell(predictor, row, (row == best).sum(axis=1))
    assert len(predictor._seen) <= 45


def test_a_float_is_found_to_a_thousandth_of_its_scale() -> None:
    space = GenotypeSpace(pg.Dict(rate=pg.floatv(1e-4, 1e-1, scale="log"), kind=pg.oneof(["a", "b"])))
    predictor = started(space)
    nearest = np.inf
    for _ in range(40):
        row = predictor.propose(1)
        away = np.abs(np.log10(row[:, 0]) + 2.3) + row[:, 1]
        nearest = min(nearest, float(away[0]))
        tell(predictor, row, -(away**2))
    assert nearest < 3e-3


def test_a_batch_is_diverse() -> None:
    predictor = started(flat())
    rows = predictor.propose(16)
    tell(predictor, rows, rows[:, 0] + rows[:, 1])
    batch = predictor.propose(8)
    assert len(flat().unique(batch)) == 8
    assert len({tuple(row) for row in batch[:, 2:].tolist()}) > 2


def test_pending_trials_count_as_if_told() -> None:
    one, other = started(flat()), started(flat())
    for predictor in (one, other):
        rows = predictor.propose(16)
        tell(predictor, rows, rows[:, 0])
    together = one.propose(4)
    apart = np.concatenate([other.propose(1) for _ in range(4)])
    assert (together[0] == apart[0]).all()
    assert len(flat().unique(apart)) == 4


def rough(genotypes: np.ndarray) -> np.ndarray:
    """Return a score that neighbouring columns make together: hard enough to keep a search busy."""
    values = genotypes.astype(float)
    return np.sin(3.0 * values[:, :-1] + 2.0 * values[:, 1:]).sum(axis=1)


@pytest.mark.parametrize("result", [True, False])
def test_where_trials_fail_or_violate_few_more_are_proposed(result: bool) -> None:
    predictor = started(flat(10, 6))
    bad: list[bool] = []
    for _ in range(80):
        row = predictor.propose(1)
        bad += (row[:, 0] >= 3).tolist()
        score = rough(row) if result or not bad[-1] else np.full(1, np.nan)
        tell(predictor, row, score, violations=np.array([float(bad[-1] and result)]))
    assert sum(bad[:20]) >= 4
    assert sum(bad[20:]) <= 12


@pytest.mark.parametrize("objectives", [2, 3])
def test_several_costly_objectives_are_taken(objectives: int) -> None:
    def scores(rows: np.ndarray) -> np.ndarray:
        return np.stack([rows[:, index] - rows[:, index + 1] / 2 for index in range(objectives)], axis=1)

    predictor = started(flat(), objectives)
    found = []
    for _ in range(12):
        rows = predictor.propose(4)
        found.append(scores(rows))
        tell(predictor, rows, *found[-1].T)
    by_chance = [
        hypervolume(scores(flat().sample(48, np.random.default_rng(seed))), [0.0] * objectives) for seed in range(20)
    ]
    assert hypervolume(np.concatenate(found), [0.0] * objectives) > max(by_chance)


def test_all_objectives_may_be_known() -> None:
    def known(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return genotypes.sum(axis=1, keepdims=True).astype(float), np.zeros(len(genotypes))

    predictor = started(flat(), known=known)
    for _ in range(30):
        row = predictor.propose(1)
        tell(predictor, row, row.sum(axis=1))
    assert predictor._front.scores.max() == 24


@pytest.mark.parametrize(
    ("space", "proposed"),
    [
        (pg.Dict(constant=1), 1),
        (pg.Dict(rate=pg.floatv(0.0, 1.0)), 40),
        (pg.Dict(rate=pg.floatv(0.0, 1.0), fixed=pg.floatv(0.1, 0.1), depth=pg.oneof(list(range(300)))), 40),
    ],
)
def test_spaces_of_one_genotype_of_floats_alone_and_of_many_choices(space: pg.Dict, proposed: int) -> None:
    predictor = started(GenotypeSpace(space))
    total = 0
    for _ in range(10):
        if len(rows := predictor.propose(4)):
            tell(predictor, rows, rows.sum(axis=1))
        total += len(rows)
    assert total == proposed


def test_equal_and_infinite_scores_are_taken_in() -> None:
    predictor = started(flat(), 2)
    for _ in range(10):
        rows = predictor.propose(4)
        tell(predictor, rows, np.full(len(rows), 7.0), np.where(rows[:, 0] > 3, np.inf, 3.0))
    assert len(predictor.propose(4)) == 4


def test_four_objectives_are_refused() -> None:
    with pytest.raises(ValueError, match="up to 3 objectives, got 4; use algorithm = 'nsga2'"):
        Predictor().start(Problem(flat(), 4))


def test_settings_below_two_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2, got initial=1, candidates=640"):
        Predictor(initial=1).start(Problem(flat()))


@pytest.mark.slow
@pytest.mark.parametrize("trials", [37, 430, 700])
def test_restored_it_goes_on_exactly_with_pending_and_failed_trials(trials: int) -> None:
    space = flat(8, 6)

    def results(rows: np.ndarray) -> Results:
        accuracy = np.where(rows[:, 3] == 5, np.nan, rough(rows))
        return Results(rows, np.stack([accuracy, -rows.sum(axis=1).astype(float)], axis=1), np.zeros(len(rows)))

    def step(predictor: Predictor, count: int) -> np.ndarray:
        rows = predictor.propose(count)
        predictor.learn(results(rows))
        return rows

    one = started(space, 2, known=known_sum)
    past = np.concatenate([step(one, 7 if index % 2 else 3) for index in range(trials // 5)])
    waiting = one.propose(3)
    state = json.loads(json.dumps(one.state()))
    other = started(space, 2, known=known_sum)
    other.restore(state, np.concatenate([past, waiting]), results(past))
    assert [step(one, 2).tolist() for _ in range(50)] == [step(other, 2).tolist() for _ in range(50)]


@pytest.mark.slow
def test_the_cost_of_a_proposal_is_bounded_by_its_models() -> None:
    space = flat(22, 9)
    spent = []
    for past in (600, 5000):
        predictor = started(space)
        rows = space.sample(past, np.random.default_rng(0))
        predictor._mark(space.keys(rows))
        tell(predictor, rows, rough(rows))
        predictor.propose(8)  # fits
        cpu = time.process_time()
        for _ in range(4):
            batch = predictor.propose(8)
            tell(predictor, batch, rough(batch))
        spent.append(time.process_time() - cpu)
    assert spent[1] < 2 * spent[0]
    assert len(json.dumps(predictor.state())) < 5000
