"""What a model keeps of its space, and that it is refused for another."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from hardware_models.space_identity import identity_of
from spaces.genotype import GenotypeSpace
from tests.hardware_models.genotype_tables import NESTED, PLAIN


def test_a_compiled_space_is_identified_by_its_columns():
    space = GenotypeSpace(pg.Dict(width=pg.oneof([8, 16, 32]), op=pg.oneof(["a", "b"])))
    found = identity_of(space, "mine")
    assert (found.name, found.fingerprint) == ("mine", space.fingerprint)
    assert found.decisions == tuple(column.name for column in space.columns)
    assert sorted(found.cardinalities) == [2, 3]
    found.check(space)


def test_another_space_is_refused():
    ours = identity_of(GenotypeSpace(pg.Dict(width=pg.oneof([8, 16]))), "ours")
    with pytest.raises(
        ValueError, match=r"was made for the space ours .*deciding width\), not for this one .*decides dep"
    ):
        ours.check(GenotypeSpace(pg.Dict(depth=pg.oneof([8, 16]))))


def test_a_space_that_differs_in_a_constant_is_refused():
    ours = identity_of(GenotypeSpace(pg.Dict(width=pg.oneof([8, 16]), classes=10)), "ours")
    with pytest.raises(ValueError, match="its choices or constants differ"):
        ours.check(GenotypeSpace(pg.Dict(width=pg.oneof([8, 16]), classes=100)))


def test_open_floats_and_constants_are_refused():
    with pytest.raises(ValueError, match="decision rate is an open float; a table needs choices alone"):
        identity_of(GenotypeSpace(pg.Dict(rate=pg.floatv(0.0, 1.0))), "mine")
    with pytest.raises(ValueError, match="the space leaves nothing open"):
        identity_of(GenotypeSpace(pg.Dict(rate=1)), "mine")


def test_the_grid_has_each_row_once_at_its_rank():
    grid = PLAIN.grid()
    assert grid[:4].tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]]
    assert PLAIN.ranks(grid).tolist() == list(range(12))
    assert (PLAIN.grid_size, NESTED.grid_size) == (12, None)


def test_a_decision_is_in_force_under_its_parents_choice():
    assert NESTED.active(np.array([[0, 1], [1, 0]])).tolist() == [[True, True], [True, False]]


def test_decisions_with_the_same_labels_are_counted_together():
    from dataclasses import replace

    edges = replace(PLAIN, choices=(("a", "b"), ("a", "b"), ("x", "y")))
    assert edges.counts(np.array([[1, 1, 0], [0, 1, 1]])).tolist() == [[0, 2 / 3, 1 / 3, 0], [1 / 3, 1 / 3, 0, 1 / 3]]


@pytest.mark.parametrize(
    ("genotypes", "message"),
    [
        ([[0, 0]], r"must have shape \(n, 3\), got \(1, 2\)"),
        ([[0, 3, 0]], "genotype 0: decision kernel has 3 choices from 0, got 3"),
        ([[0, -1, 0]], "decision kernel has 3 choices from 0, got -1"),
        ([[0, 0.5, 0]], "decision kernel has 3 choices from 0, got 0.5"),
    ],
)
def test_rows_of_another_space_are_refused(genotypes: list[list[float]], message: str):
    with pytest.raises(ValueError, match=message):
        PLAIN.rows(np.array(genotypes))


def test_a_code_has_dashes_only_where_it_needs_them():
    from dataclasses import replace

    wide = replace(PLAIN, choices=(tuple(map(str, range(12))), ("3", "5"), ("a",)))
    assert (PLAIN.code([1, 2, 0]), wide.code([11, 1, 0])) == ("120", "11-1-0")


def test_many_decisions_without_a_choice_are_no_burden():
    settled = {f"settled{i}": pg.oneof([7]) for i in range(70)}
    found = identity_of(GenotypeSpace(pg.Dict(**settled, op=pg.oneof(["a", "b"]), width=pg.oneof([1, 2, 3]))), "mine")
    assert found.grid().shape == (6, 72)
    assert found.ranks(found.grid()).tolist() == list(range(6))
