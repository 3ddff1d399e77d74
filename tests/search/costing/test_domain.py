"""Spaces as products of variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest

from search.costing.covering import covering_rows
from search.costing.domain import Domain, NotCompilableError
from spaces.genotype import GenotypeSpace


def variables(value: Any) -> list[tuple[tuple[int, ...], list[list[int]]]]:
    return [(each.columns, each.values.tolist()) for each in Domain(GenotypeSpace(value)).variables]


def test_a_choice_and_a_float_are_variables() -> None:
    value = pg.Dict(a=pg.oneof([1, 2]), b=pg.floatv(0.0, 1.0))
    assert variables(value) == [((0,), [[0], [1]]), ((1,), [])]


def test_positions_without_rules_are_variables_of_their_own() -> None:
    assert variables(pg.manyof(2, [1, 2], distinct=False)) == [((0,), [[0], [1]]), ((1,), [[0], [1]])]


def test_positions_with_rules_are_one_variable() -> None:
    assert variables(pg.manyof(2, [1, 2, 3])) == [((0, 1), [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]])]
    assert variables(pg.manyof(2, [1, 2], distinct=False, sorted=True)) == [((0, 1), [[0, 0], [0, 1], [1, 1]])]


def test_positions_that_may_not_be_in_force_may_be_zeros_too() -> None:
    value = pg.oneof([None, pg.manyof(2, [1, 2, 3], sorted=True)])
    assert variables(value)[1] == ((1, 2), [[0, 0], [0, 1], [0, 2], [1, 2]])


def test_decisions_inside_of_positions_are_variables() -> None:
    value = pg.manyof(2, [1, pg.oneof([2, 3])], sorted=True, distinct=False)
    assert [columns for columns, _ in variables(value)] == [(0, 2), (1,), (3,)]


def test_too_many_joint_values_are_refused() -> None:
    with pytest.raises(NotCompilableError, match="have too many joint values"):
        Domain(GenotypeSpace(pg.manyof(6, list(range(6)))))


def test_what_is_nested_is_adjacent() -> None:
    domain = Domain(GenotypeSpace(pg.List([pg.oneof([1, pg.oneof([2, pg.oneof([3, 4])])]), pg.oneof([5, 6])])))
    assert np.argwhere(np.triu(domain.nested())).tolist() == [[0, 1], [0, 2], [1, 2]]


def test_a_wanted_value_is_drawn_or_there_is_none() -> None:
    domain = Domain(GenotypeSpace(pg.manyof(2, [1, 2, 3], sorted=True)))
    rng = np.random.default_rng(0)
    row = domain.draw({1: 1}, rng)
    assert row is not None
    assert row.tolist() == [0, 1]
    assert domain.draw({1: 0}, rng) is None


def test_every_two_values_that_can_be_in_force_together_occur_together() -> None:
    space = GenotypeSpace(pg.Dict({f"d{index}": pg.oneof([0, pg.oneof([1, 2, 3])]) for index in range(5)}))
    domain, rng = Domain(space), np.random.default_rng(0)
    rows = np.stack(list(covering_rows(domain, domain.nested(), 1_000, rng)))
    on = space.active(rows)
    assert len(rows) < 40
    for one in range(10):
        for other in range(one + 1, 10):
            seen = {tuple(row) for row in rows[on[:, one] & on[:, other]][:, [one, other]].tolist()}
            nested = other == one + 1 and one % 2 == 0
            assert nested or len(seen) == (2 if one % 2 == 0 else 3) * (2 if other % 2 == 0 else 3)


def test_pairs_that_act_together_need_not_be_covered() -> None:
    domain = Domain(GenotypeSpace(pg.List([pg.oneof([1, 2, 3]), pg.oneof([1, 2, 3])])))
    everything = ~np.eye(2, dtype=bool)
    assert list(covering_rows(domain, everything, 100, np.random.default_rng(0))) == []
