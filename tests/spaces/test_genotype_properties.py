"""GenotypeSpace against PyGlove itself, on random nested symbolic values."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyglove as pg
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spaces.genotype import GenotypeSpace


class Leaf(pg.Object):
    size: int
    rate: float = 0.5


class Pair(pg.Object):
    first: Any
    second: Any = "none"


class Typed(pg.Object):
    leaf: Leaf
    rate: float
    many: list[float]
    either: int | str | None = None


class Hooked(pg.Object):
    value: Any

    def _on_bound(self) -> None:
        super()._on_bound()
        self._made = Leaf(1, 1)


@pg.functor
def scaled(value: Any, factor: float = 2.0) -> Any:
    return value, factor


def one_of(candidates: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(candidates, min_size=1, max_size=4).map(pg.oneof)


def many_of(candidates: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(candidates, min_size=2, max_size=4)
    drawn = st.tuples(several, st.integers(1, 3), st.booleans(), st.booleans())
    return drawn.map(lambda these: pg.manyof(min(these[1], len(these[0])), *these[:1], *these[2:]))


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    rates = st.sampled_from([1, 0.5, 2.0])
    leaf = st.just(pg.oneof([Leaf(1), Leaf(pg.oneof([2, 3]), 1)]))
    return st.one_of(
        one_of(children),
        many_of(children),
        st.builds(Pair, children),
        st.builds(Pair, children, children),
        st.builds(Hooked, children),
        st.builds(scaled, children),
        st.lists(children, min_size=1, max_size=3).map(pg.List),
        st.dictionaries(st.sampled_from(["a", "b", "c d"]), children, min_size=1).map(pg.Dict),
        st.builds(Typed, leaf, one_of(rates), many_of(rates), one_of(st.sampled_from([1, "one", 2]))),
        st.builds(Typed, st.builds(Leaf, st.just(4)), st.just(1), st.just([pg.oneof([1, 2.5]), 3])),
    )


CONSTANTS = st.sampled_from([0, 1, 2.5, "text", None, True, (1, 2)]) | st.builds(Leaf, st.integers(0, 3))
FLOATS = st.sampled_from(
    [(0.0, 1.0, None), (1e-4, 1.0, "log"), (1.0, 9.0, "rlog"), (-2.0, 3.0, "linear"), (2.0, 2.0, None)]
)
DECISIONS = st.lists(CONSTANTS, min_size=1, max_size=4).map(pg.oneof)
VALUES = nested(st.recursive(CONSTANTS | DECISIONS, nested, max_leaves=6))
OPEN_VALUES = nested(
    st.recursive(CONSTANTS | DECISIONS | FLOATS.map(lambda bounds: pg.floatv(*bounds)), nested, max_leaves=6)
)
FEW_CHOICES = nested(many_of(CONSTANTS | DECISIONS) | DECISIONS)

quick = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def compiled(value: Any) -> GenotypeSpace:
    try:
        pg.template(value).dna_spec()
    except (TypeError, ValueError):  # a value that PyGlove itself refuses
        assume(False)
    return GenotypeSpace(value)


def sampled(space: GenotypeSpace, count: int = 20) -> np.ndarray:
    return space.sample(count, np.random.default_rng(0))


@quick
@given(OPEN_VALUES)
def test_a_sample_is_valid_for_pyglove_and_comes_back_from_its_dna(value: Any) -> None:
    space = compiled(value)
    rows = sampled(space, 3)
    assert space.valid(rows).all()
    for row in rows:
        dna = space.to_dna(row)
        space.dna_spec.validate(dna)
        assert space.from_dna(dna).tolist() == row.tolist()


@quick
@given(OPEN_VALUES)
def test_decoding_equals_pyglove_and_is_fresh(value: Any) -> None:
    space = compiled(value)
    template = pg.template(space.value)
    for row in sampled(space, 2):
        decoded = space.decode(row)
        assert pg.eq(decoded, template.decode(space.to_dna(row)))
        assert not isinstance(decoded, pg.Symbolic) or space.decode(row) is not decoded


@quick
@given(OPEN_VALUES)
def test_peeking_equals_decoding_whatever_was_peeked_at_before(value: Any) -> None:
    space = compiled(value)
    rows = sampled(space, 3)
    for row in [*rows, *space.mutate(rows, np.random.default_rng(1)), *rows]:
        assert pg.eq(space.peek(row), space.decode(row))


@quick
@given(OPEN_VALUES)
def test_encoding_gives_a_genotype_that_decodes_to_the_same(value: Any) -> None:
    space = compiled(value)
    for row in sampled(space, 2):
        decoded = space.decode(row)
        assert pg.eq(space.decode(space.encode(decoded)), decoded)


@quick
@given(OPEN_VALUES)
def test_json_comes_back(value: Any) -> None:
    space = compiled(value)
    for row in sampled(space, 3):
        assert space.from_json(space.to_json(row)).tolist() == row.tolist()
        assert space.from_json(row.tolist()).tolist() == row.tolist()


@quick
@given(VALUES)
def test_the_size_is_the_one_that_pyglove_counts(value: Any) -> None:
    space = compiled(value)
    assert space.size == space.dna_spec.space_size


@settings(quick, max_examples=20)
@given(FEW_CHOICES | VALUES)
def test_the_listing_is_the_one_that_pyglove_sweeps(value: Any) -> None:
    space = compiled(value)
    assume(space.size is not None and 1 < space.size <= 40)
    rows = space.enumerate(0, 100)
    sweeping = pg.geno.Sweeping()
    sweeping.setup(space.dna_spec)
    swept = [dna.to_numbers() for dna in itertools.islice(iter(sweeping), 100)]
    assert [row[on].tolist() for row, on in zip(rows, space.active(rows), strict=True)] == swept


@quick
@given(VALUES, st.integers(0, 2**70), st.integers(0, 30))
def test_a_part_of_the_listing_is_in_order_and_valid(value: Any, start: int, count: int) -> None:
    space = compiled(value)
    assert space.size is not None
    rows = space.enumerate(start % (space.size + 1), count)
    assert len(rows) == min(count, space.size - start % (space.size + 1))
    assert space.valid(rows).all()
    assert sorted(rows.tolist()) == rows.tolist()
    assert len(set(space.keys(rows))) == len(rows)


@quick
@given(OPEN_VALUES, st.integers(0, 2**32))
def test_mutation_changes_every_row_and_keeps_it_valid(value: Any, seed: int) -> None:
    space = compiled(value)
    rows = sampled(space)
    changed = space.mutate(rows, np.random.default_rng(seed))
    assert space.valid(changed).all()
    different = (changed != rows).any(axis=1)
    assert different.all() if space.size != 1 else not different.any()


@quick
@given(OPEN_VALUES, st.integers(0, 2**32))
def test_children_are_valid_and_take_every_decision_from_a_parent(value: Any, seed: int) -> None:
    space = compiled(value)
    rng = np.random.default_rng(seed)
    first, second = space.sample(20, rng), space.sample(20, rng)
    children = space.crossover(first, second, rng)
    assert space.valid(children).all()
    on = space.active(children)
    inherited = (children == first) & space.active(first) | (children == second) & space.active(second)
    assert (inherited | ~on).all()


@quick
@given(OPEN_VALUES, st.integers(0, 2**32))
def test_repair_makes_anything_valid_and_leaves_what_is(value: Any, seed: int) -> None:
    space = compiled(value)
    noise = np.random.default_rng(seed).normal(1, 4, size=(20, space.width))
    noise[np.random.default_rng(seed).random(noise.shape) < 0.1] = np.nan
    assert space.valid(space.repair(noise)).all()
    rows = sampled(space)
    assert space.repair(rows).tolist() == rows.tolist()


@quick
@given(OPEN_VALUES)
def test_neighbours_are_valid_new_and_symmetric_in_flat_spaces(value: Any) -> None:
    space = compiled(value)
    row = sampled(space, 1)[0]
    around = space.neighbours(row)
    assert space.valid(around).all()
    assert len(set(space.keys(around)) - set(space.keys(row[None]))) == len(around)
    if all(column.parent < 0 for column in space.columns):
        assert all(space.keys(row[None])[0] in space.keys(space.neighbours(other)) for other in around[:5])


@settings(quick, max_examples=15)
@given(FEW_CHOICES)
def test_valid_accepts_exactly_the_listed_rows(value: Any) -> None:
    space = compiled(value)
    assume(space.size is not None and space.size <= 2_000 and 0 < space.width <= 6)
    ranges = [range(column.cardinality + 1) for column in space.columns]
    assume(np.prod([len(choices) for choices in ranges]) <= 20_000)
    grid = np.array(list(itertools.product(*ranges)), np.int64)
    assert grid[space.valid(grid)].tolist() == space.enumerate(0, space.size).tolist()
