"""Separate and factorized search: which genotypes they propose, what each loop knows, and exact resumption."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._part_search import seed_of
from search.algorithms.registry import algorithm_of
from spaces.genotype import GenotypeSpace

TOY = GenotypeSpace(pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.oneof([1, 2, 3])))
REWARDS = np.array([[-1.0, -2, -5], [-1, 0, -1], [-5, -2, -1]])
"""-(x - 2)^2 - (y - x)^2, by the indices of x and y."""

WIDE = GenotypeSpace(pg.Dict(a=pg.List([pg.oneof(range(9))] * 4), b=pg.List([pg.oneof(range(9))] * 4)))
NESTED = GenotypeSpace(
    pg.Dict(
        stem=pg.oneof([pg.Dict(kernel=pg.oneof([3, 5, 7]), rate=pg.floatv(1e-3, 1e-1, scale="log")), "none"]),
        many=pg.manyof(2, list("abcd"), distinct=True, sorted=True),
        depth=pg.oneof([1, 2, 3]),
    )
)


def started(space: GenotypeSpace, name: str, objectives: int = 1, known: Any = None, **settings: Any) -> Algorithm:
    algorithm = algorithm_of({"name": name, **settings})
    algorithm.start(Problem(space, objectives, 5, known))
    return algorithm


def judged(genotypes: np.ndarray, objectives: int = 1) -> Results:
    """Return made-up scores that depend on the genotypes alone, one in ten missing, and some violations."""
    sums = np.sin(genotypes.astype(float) + np.arange(genotypes.shape[1])).sum(axis=1)
    scores = np.stack([sums, -np.cos(3 * sums)], axis=1)[:, :objectives]
    scores[sums * 10 % 1 > 0.9] = np.nan
    return Results(genotypes, scores, np.where(sums < -1, -sums, 0.0))


def run(algorithm: Algorithm, trials: int) -> list[list[int]]:
    """Let an algorithm solve the toy, one proposal at a time; return the proposals."""
    proposed: list[list[int]] = []
    while len(proposed) < trials and len(row := algorithm.propose(1)):
        proposed += row.tolist()
        x, y = proposed[-1]
        algorithm.learn(Results(row, REWARDS[x, y].reshape(1, 1), np.zeros(1)))
    return proposed


def test_separate_holds_the_defaults_and_then_the_best_of_the_first_part() -> None:
    algorithm = started(TOY, "separate", first="x", trials=3, algorithm="exhaustive", default={"y": 2})
    assert run(algorithm, 5) == [[0, 1], [1, 1], [2, 1], [1, 0], [1, 2]]


def test_separate_goes_on_in_turns_with_the_best_of_both() -> None:
    algorithm = started(WIDE, "separate", first="a", trials=20)
    rows = np.zeros((0, 8))
    best = rows[:0]
    for turn in range(4):
        batch = np.concatenate([step(algorithm, lambda row: -row.sum(axis=1)) for _ in range(20)])
        held = batch[:, 4:] if turn % 2 == 0 else batch[:, :4]
        assert len(np.unique(held, axis=0)) == 1
        if turn:
            assert (held[0] == best[(4 if turn % 2 == 0 else 0) :][:4]).all()
        rows = np.concatenate([rows, batch])
        best = rows[(-rows.sum(axis=1)).argmax()]


def step(algorithm: Algorithm, score: Any) -> np.ndarray:
    """Let an algorithm propose one genotype and learn its score; return it as floats."""
    row = algorithm.propose(1)
    algorithm.learn(Results(row, score(row.astype(float))[:, None], np.zeros(1)))
    return row.astype(float)


def test_a_part_is_searched_until_so_many_of_its_results_are_in() -> None:
    algorithm = started(WIDE, "separate", first="a", trials=10)
    first = algorithm.propose(12)
    algorithm.learn(judged(first[:9]))
    more = algorithm.propose(2)
    algorithm.learn(judged(more[:1]))
    last = algorithm.propose(2)
    assert np.ptp(np.concatenate([first, more])[:, 4:], axis=0).tolist() == [0] * 4
    assert np.ptp(last[:, :4], axis=0).tolist() == [0] * 4


def test_separate_begins_elsewhere_when_nothing_is_left_around_the_best() -> None:
    assert sorted(run(started(TOY, "separate", trials=50), 9)) == TOY.enumerate(0, 9).tolist()


def test_factorized_searches_the_rest_for_each_outer_candidate() -> None:
    algorithm = started(TOY, "factorized", outer="x", trials=3, algorithm="exhaustive")
    assert run(algorithm, 9) == TOY.enumerate(0, 9).tolist()
    part_of_each = started(TOY, "factorized", outer="x", trials=2, algorithm="exhaustive")
    assert run(part_of_each, 6) == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]


def test_the_outer_algorithm_learns_the_best_of_each_inner_search() -> None:
    algorithm = started(WIDE, "factorized", outer="a", trials=3, inner_algorithm="random")
    rows = np.concatenate([step(algorithm, lambda row: row[:, 4:].sum(axis=1)) for _ in range(60)])
    alone = algorithm_of("hill_climb")
    alone.start(Problem(GenotypeSpace(pg.List([pg.oneof(range(9))] * 4)), seed=seed_of(5, 0)))
    for inner in rows.reshape(20, 3, 8):
        outer = step(alone, lambda row, inner=inner: np.full(1, inner[:, 4:].sum(axis=1).max()))
        assert (inner[:, :4] == outer).all()


def test_outer_candidates_are_learnt_in_order_when_all_their_trials_are_told() -> None:
    algorithm = started(WIDE, "factorized", outer="a", trials=4)
    batch = algorithm.propose(10)
    assert [len(np.unique(batch[rows, :4], axis=0)) for rows in (slice(4), slice(4, 8), slice(8, 10))] == [1, 1, 1]
    algorithm.learn(judged(batch[4:8]))
    assert len(algorithm._loop._waiting) == 3  # type: ignore[attr-defined]
    algorithm.learn(judged(batch[:4]))
    assert len(algorithm._loop._waiting) == 1  # type: ignore[attr-defined]


def test_a_warm_inner_search_begins_with_the_best_inner_decisions() -> None:
    algorithm = started(WIDE, "factorized", outer="a", trials=5, warm_start=True)
    rows = np.concatenate([step(algorithm, lambda row: row.sum(axis=1)) for _ in range(50)])
    for begin in range(5, 50, 5):
        assert (rows[begin, 4:] == rows[rows[:begin].sum(axis=1).argmax(), 4:]).all()


@pytest.mark.parametrize("settings", [{"joint_after": 20}, {"outer": "b[0]", "trials": 2}])
def test_the_whole_is_searched_as_one_afterwards(settings: dict[str, Any]) -> None:
    algorithm = started(WIDE, "factorized", **settings)
    rows = np.concatenate([step(algorithm, lambda row: row.sum(axis=1)) for _ in range(60)])
    best = rows[20 + rows[20:].sum(axis=1).argmax()]
    batch = algorithm.propose(64).astype(int)
    changed = (batch != best).any(axis=0)
    assert changed[:4].any()
    assert changed[4:].any()


MANY = [
    ("separate", {"trials": 9, "algorithm": "local_search"}),
    ("separate", {"trials": 9, "algorithm": "reinforce", "first": "stem*.rate"}),
    ("factorized", {"trials": 4, "warm_start": True}),
    ("factorized", {"trials": 4, "algorithm": "nsga2", "inner_algorithm": "ppo", "outer": "stem"}),
    ("factorized", {"trials": 4, "joint_after": 40, "algorithm": "regularized_evolution"}),
]


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize(("name", "settings"), MANY)
def test_restored_at_any_point_it_goes_on_exactly_though_results_come_late_and_mixed(
    name: str, settings: dict[str, Any], objectives: int
) -> None:
    order = np.random.default_rng(3)
    one = started(NESTED, name, objectives, **settings)
    proposed = [one.propose(6)]
    waiting, past = proposed[0], proposed[0][:0]
    for count in (1, 5, 2, 12, 1, 7) * 3:
        now = order.permutation(len(waiting))[: max(1, len(waiting) - 3)]
        one.learn(judged(waiting[now], objectives))
        past, waiting = np.concatenate([past, waiting[now]]), np.delete(waiting, now, axis=0)
        other = started(NESTED, name, objectives, **settings)
        other.restore(json.loads(json.dumps(one.state())), np.concatenate(proposed), judged(past, objectives))
        batch = one.propose(count)
        assert np.array_equal(batch, other.propose(count))
        proposed.append(batch)
        waiting = np.concatenate([waiting, batch])


@pytest.mark.parametrize("name", ["separate", "factorized"])
@pytest.mark.parametrize("inner", ["pyglove", "optuna", "predictor"])
def test_any_algorithm_can_search_the_parts(name: str, inner: str) -> None:
    one = started(NESTED, name, trials=5, algorithm=inner)
    past = np.concatenate([step(one, lambda row: row.sum(axis=1)) for _ in range(12)])
    other = started(NESTED, name, trials=5, algorithm=inner)
    other.restore(one.state(), past, judged(past))
    assert len(NESTED.unique(np.concatenate([past, other.propose(8)]))) == 20


@pytest.mark.parametrize("name", ["separate", "factorized"])
def test_known_constraints_hold_though_the_defaults_break_them(name: str) -> None:
    def known(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full((len(genotypes), 1), np.nan), np.maximum(40 - genotypes.sum(axis=1).astype(float), 0)

    algorithm = started(WIDE, name, trials=5, known=known)
    rows = np.concatenate([step(algorithm, lambda row: -row.sum(axis=1)) for _ in range(60)])
    assert rows.sum(axis=1).min() == 40
    assert rows[-20:].sum(axis=1).max() < 50


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("separate", {"trials": 0}, "separate needs trials >= 1, got 0"),
        ("factorized", {"trials": 0}, "factorized needs trials >= 1, got 0"),
        (
            "separate",
            {"first": "steam"},
            r"no decision of the space is at 'steam'; there are stem, stem\[=0/2\]\.kernel",
        ),
        ("separate", {"first": ("stem", "*")}, r"two parts, and stem, \* is all of its 6 decisions"),
        ("separate", {"default": {"depth": 9}}, "depth cannot be 9: expected one of 1, 2, 3"),
        ("separate", {"default": {"deep": 1}}, "no decision of the space is called 'deep'"),
        ("separate", {"default": {"stem[=0/2].rate": 2.0}}, r"cannot be 2\.0: expected a number from 0\.001 to 0\.1"),
        ("separate", {"algorithm": "exhaustive", "first": "depth"}, "exhaustive needs a finite space"),
        ("factorized", {"algorithm": "exhaustive", "outer": "depth"}, "exhaustive needs a finite space"),
        ("factorized", {"outer": "stem*.kernel"}, "kernel cannot be an outer decision without stem, which it hangs on"),
        ("factorized", {"algorithm": 3}, "expected an algorithm or one of the names"),
        ("factorized", {"outer": "many[0]"}, "the positions of manyof 'many' must be open or held alike"),
    ],
)
def test_settings_that_do_not_fit_are_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        started(NESTED, name, **settings)


def test_a_space_of_one_decision_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="two parts, and its first half is all of its 1 decisions"):
        started(GenotypeSpace(pg.oneof([1, 2])), "separate")


def test_the_first_half_is_that_of_the_decisions_that_hang_on_nothing() -> None:
    algorithm = started(NESTED, "factorized")
    assert algorithm._outer_part.columns.tolist() == [0, 1, 2, 3, 4]  # type: ignore[attr-defined]


def test_the_default_of_an_open_float_is_the_middle_of_its_scale() -> None:
    algorithm = started(NESTED, "separate", first="depth", trials=3)
    assert algorithm.propose(1)[0, :3].tolist() == pytest.approx([0, 0, 1e-2])


def test_settings_are_those_of_all_algorithms_in_it() -> None:
    settings = algorithm_of({"name": "factorized", "outer": ("x",), "inner_algorithm": "random"}).settings
    assert (settings["algorithm"]["name"], settings["inner_algorithm"]) == ("hill_climb", {"name": "random"})
    assert json.loads(json.dumps(settings))["outer"] == ["x"]
