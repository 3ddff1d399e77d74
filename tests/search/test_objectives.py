"""Objectives, constraints, fronts and hypervolume."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.front import Front
from search.objectives import (
    Constraint,
    Objective,
    hypervolume,
    nondominated,
    parse_constraint,
    parse_constraints,
    parse_objectives,
    scores,
    violations,
)


def test_objectives_keep_their_order_and_long_names() -> None:
    assert parse_objectives({"latency_ms@pixel3": "min", "accuracy": "maximize"}) == (
        Objective("latency_ms@pixel3", "minimize"),
        Objective("accuracy", "maximize"),
    )


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"direction 'up' of objective 'accuracy' is unknown: expected 'maximize'"):
        parse_objectives({"accuracy": "up"})


def test_no_objective_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        parse_objectives({})


@pytest.mark.parametrize("name", ["", "1st", "two words", "a" * 129, "né", "a\n"])
def test_a_name_that_is_no_metrics_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not usable: expected a letter"):
        Objective(name, "maximize")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latency_ms <= 12", Constraint("latency_ms", "<=", 12.0, at_once=True)),
        ("params<5e6", Constraint("params", "<", 5e6, at_once=True)),
        (" accuracy >= 70 ", Constraint("accuracy", ">=", 70.0, at_once=False)),
        ("loss <= 0.5 at end", Constraint("loss", "<=", 0.5, at_once=False)),
        ("latency_ms@pixel3>-1", Constraint("latency_ms@pixel3", ">", -1.0, at_once=False)),
    ],
)
def test_constraints_are_read(text: str, expected: Constraint) -> None:
    assert parse_constraint(text) == expected


@pytest.mark.parametrize(
    "text", ["latency_ms", "latency_ms == 3", "latency_ms <= twelve", "<= 12", "a <= 1 2", "a <= nan", "a <= "]
)
def test_a_text_that_is_no_constraint_is_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|is not a number"):
        parse_constraint(text)


@pytest.mark.parametrize("text", ["latency_ms =< 12", "latency_ms <= ", "latency_ms<==12"])
def test_a_relation_that_is_none_is_not_taken_for_a_part_of_its_sides(text: str) -> None:
    with pytest.raises(ValueError, match="is not understood: expected a metric, one of"):
        parse_constraint(text)


@given(st.sampled_from(["<=", "<", ">=", ">"]), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_a_constraint_reads_back_from_its_text(relation: str, bound: float, at_once: bool) -> None:
    constraint = Constraint("latency_ms@pixel3", relation, bound, at_once)
    assert parse_constraint(str(constraint)) == constraint


def test_scores_are_larger_for_better_and_nan_where_unknown() -> None:
    objectives = parse_objectives({"accuracy": "maximize", "latency_ms": "minimize"})
    found = scores(objectives, [{"accuracy": 70.0, "latency_ms": 5.0}, {"accuracy": 71.0}])
    assert found[0].tolist() == [70.0, -5.0]
    assert found[1, 0] == 71.0
    assert math.isnan(found[1, 1])


def test_violations_are_relative_to_the_bound_and_add_up() -> None:
    constraints = parse_constraints(["latency_ms <= 10", "accuracy >= 50"])
    given_metrics = [{"latency_ms": 15.0, "accuracy": 45.0}, {"latency_ms": 10.0, "accuracy": 50.0}, {}]
    assert violations(constraints, given_metrics) == pytest.approx([0.6, 0.0, 0.0])


@pytest.mark.parametrize(("relation", "broken"), [("<=", False), ("<", True), (">=", False), (">", True)])
def test_the_bound_itself_breaks_strict_relations_only(relation: str, broken: bool) -> None:
    assert (Constraint("x", relation, 3.0).excess(np.array([3.0]))[0] > 0) == broken


def test_a_bound_of_zero_is_exceeded_by_the_value_itself() -> None:
    assert parse_constraint("x <= 0").excess(np.array([2.5, 0.0])).tolist() == [2.5, 0.0]


def test_equal_points_are_all_on_the_front_and_nan_never() -> None:
    points = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [np.nan, 9.0]])
    assert nondominated(points).tolist() == [True, True, True, False, False]


def test_hypervolume_of_two_points() -> None:
    points = np.array([[1.0, 3.0], [2.0, 1.0], [-1.0, 9.0], [np.nan, 1.0]])
    assert hypervolume(points, [0.0, 0.0]) == 4.0
    assert hypervolume(points[:0], [0.0, 0.0]) == 0.0


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=1, max_size=30), st.integers(0, 30))
def test_a_front_kept_up_to_date_is_the_front_of_all(points: list[tuple[int, int]], cut: int) -> None:
    values = np.array(points, np.float64)
    front = Front([], np.zeros((0, 2)))
    stored: set[int] = set()
    for number, value in enumerate(values):
        front.add(number, value.tolist())
        if number == cut:
            joined, left = front.changes()
            stored = (stored | set(joined)) - set(left)
    joined, left = front.changes()
    assert (stored | set(joined)) - set(left) == set(np.flatnonzero(nondominated(values)).tolist())
