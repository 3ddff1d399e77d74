"""Parts of a space: some decisions open, the others held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spaces.genotype import GenotypeSpace, Part

NESTED = GenotypeSpace(
    pg.Dict(
        stem=pg.oneof([pg.Dict(kernel=pg.oneof([3, 5, 7]), rate=pg.oneof([0.1, 0.2])), "none"]), depth=pg.oneof([1, 2])
    )
)
NAMES = [column.name for column in NESTED.columns]
BLOCKS = GenotypeSpace(pg.Dict(blocks=pg.manyof(2, [pg.Dict(width=pg.oneof([1, 2])), "skip"], distinct=False)))

quick = settings(max_examples=20)


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(children, min_size=2, max_size=3)
    many = st.tuples(several, st.booleans(), st.booleans())
    return st.one_of(
        several.map(pg.oneof),
        many.map(lambda drawn: pg.manyof(2, *drawn)),
        st.dictionaries(st.sampled_from("abc"), children, min_size=1).map(pg.Dict),
    )


CHOICES = nested(st.recursive(st.integers(0, 3) | st.just([1, 2]).map(pg.oneof), nested, max_leaves=5))
OPEN = nested(st.recursive(st.just(0) | st.builds(pg.floatv, st.just(0.0), st.just(1.0)), nested, max_leaves=5))
FLAGS = st.lists(st.booleans(), min_size=1, max_size=5)


def part(free: list[int], held: list[int], space: GenotypeSpace = NESTED) -> Part:
    return space.part(np.isin(np.arange(space.width), free), np.array(held))


def any_part(space: GenotypeSpace, flags: list[bool]) -> Part:
    """Return the part that opens the decisions with flags, by turns, and holds a random row."""
    free = np.array([flags[index % len(flags)] for index in range(space.width)], bool)
    try:
        return space.part(free, space.sample(1, np.random.default_rng(1))[0])
    except ValueError:
        assume(False)
        raise


def test_the_columns_are_those_in_order_with_what_they_depend_on() -> None:
    assert NAMES == ["stem", "stem[=0/2].kernel", "stem[=0/2].rate", "depth"]


def test_what_is_open_is_a_space_of_its_own() -> None:
    found = part([3], [0, 2, 1, 0])
    assert found.space.size == 2
    assert found.join(found.space.enumerate(0, 2)).tolist() == [[0, 2, 1, 0], [0, 2, 1, 1]]


def test_what_hangs_on_a_held_choice_is_open_where_that_choice_leads_to_it() -> None:
    assert part([1, 3], [0, 0, 1, 0]).columns.tolist() == [1, 3]
    assert part([1, 3], [1, 0, 0, 0]).columns.tolist() == [3]


def test_what_is_held_below_an_open_choice_is_held_wherever_it_is_active() -> None:
    found = part([0], [0, 2, 1, 1])
    assert found.join(found.space.enumerate(0, 2)).tolist() == [[0, 2, 1, 1], [1, 0, 0, 1]]


def test_genotypes_of_the_whole_are_recognized() -> None:
    found = part([0, 1], [0, 0, 1, 1])
    rows = np.array([[0, 2, 1, 1], [0, 2, 0, 1], [1, 0, 0, 1], [1, 0, 0, 0]])
    assert found.holds(rows).tolist() == [True, False, True, False]
    assert found.take(rows[:1]).tolist() == [[0, 2]]


def test_the_nearest_genotype_keeps_the_open_decisions_where_it_can() -> None:
    rows = np.array([[0, 2, 1, 0]])
    assert part([1, 2], [0, 0, 0, 1]).nearest(rows).tolist() == [[0, 2, 1, 1]]
    assert part([1, 2], [1, 0, 0, 1]).nearest(rows).tolist() == [[1, 0, 0, 1]]


def test_an_outer_part_and_its_inner_parts_make_up_the_whole() -> None:
    outer = part([0, 3], [0, 0, 0, 0])
    inner = [part([1, 2], row.tolist()) for row in outer.join(outer.space.enumerate(0, 4))]
    assert [each.space.size for each in inner] == [6, 6, 1, 1]
    assert sum(each.space.size or 0 for each in inner) == NESTED.size == 14


def test_positions_of_a_manyof_stay_together() -> None:
    assert part([0, 2], [0, 1, 0, 0], BLOCKS).space.size == 4
    assert part([1, 3], [0, 1, 1, 0], BLOCKS).columns.tolist() == [1]
    for free in ([0], [0, 1, 2]):
        with pytest.raises(ValueError, match="the positions of manyof 'blocks' must be open or held alike"):
            part(free, [0, 0, 0, 0], BLOCKS)


@quick
@given(OPEN | CHOICES, FLAGS)
def test_genotypes_come_back_from_the_whole(value: Any, flags: list[bool]) -> None:
    space = GenotypeSpace(value)
    found = any_part(space, flags)
    rows = found.space.sample(20, np.random.default_rng(0))
    whole = found.join(rows)
    assert space.valid(whole).all()
    assert found.holds(whole).all()
    assert found.take(whole).tolist() == rows.tolist()


@quick
@given(CHOICES, FLAGS)
def test_a_part_is_all_that_holds_what_it_holds(value: Any, flags: list[bool]) -> None:
    space = GenotypeSpace(value)
    assume(space.size is not None and space.size <= 3000)
    found = any_part(space, flags)
    every = space.enumerate(0, space.size or 0)
    inside = {row.tobytes() for row in every[found.holds(every)]}
    assert inside == {row.tobytes() for row in found.join(found.space.enumerate(0, found.space.size or 0))}
    assert len(inside) == found.space.size
