"""Compiling spaces into columns, and the operations on genotypes."""

from __future__ import annotations

import cloudpickle
import numpy as np
import pyglove as pg
import pytest

from spaces.genotype import GenotypeSpace

RNG_SEED = 7


def conditional() -> GenotypeSpace:
    """Three kernels, or a pooling with a size and a rate."""
    pool = pg.Dict(size=pg.oneof([2, 3]), rate=pg.floatv(0.1, 10.0, "log"))
    return GenotypeSpace(pg.Dict(op=pg.oneof([1, 3, 5, pool]), depth=pg.oneof([1, 2])))


def many(distinct: bool, ordered: bool, choices: int = 2, candidates: int = 4) -> GenotypeSpace:
    return GenotypeSpace(pg.Dict(x=pg.manyof(choices, list(range(candidates)), distinct, ordered)))


def test_columns_are_named_by_their_paths_and_know_their_parents() -> None:
    columns = conditional().columns
    assert [column.name for column in columns] == ["op", "op[=3/4].size", "op[=3/4].rate", "depth"]
    assert [(column.parent, column.parent_choice) for column in columns] == [(-1, -1), (0, 3), (0, 3), (-1, -1)]
    assert columns[0].choices[:3] == ("1", "3", "5")
    assert (columns[2].kind, columns[2].low, columns[2].high, columns[2].scale) == ("float", 0.1, 10.0, "log")


@pytest.mark.parametrize(("candidates", "dtype"), [(2, "uint8"), (256, "uint8"), (257, "uint16")])
def test_the_dtype_is_the_smallest_that_holds_every_choice(candidates: int, dtype: str) -> None:
    space = GenotypeSpace(pg.geno.oneof([pg.geno.constant()] * candidates))
    assert space.dtype == np.dtype(dtype)
    assert int(space.enumerate(candidates - 1, 1)[0, 0]) == candidates - 1
    assert conditional().dtype == np.dtype("float64")


def test_a_constant_is_a_space_of_one_point() -> None:
    space = GenotypeSpace(pg.Dict(x=1))
    rows = space.sample(3, np.random.default_rng(0))
    assert (space.width, space.size, rows.shape, space.keys(rows)) == (0, 1, (3, 0), [b"", b"", b""])
    assert space.enumerate(0, 5).shape == (1, 0)
    assert space.decode(space.mutate(rows, np.random.default_rng(0))[0]) == {"x": 1}


def test_single_candidates_leave_one_point_that_mutation_keeps() -> None:
    space = GenotypeSpace(pg.Dict(x=pg.oneof([pg.oneof([5])]), y=pg.manyof(2, [1, 2], sorted=True)))
    rows = space.sample(2, np.random.default_rng(0))
    assert space.size == 1
    assert space.mutate(rows, np.random.default_rng(0)).tolist() == rows.tolist() == [[0, 0, 0, 1]] * 2


@pytest.mark.parametrize(
    ("distinct", "ordered", "size"), [(False, False, 16), (True, False, 12), (False, True, 10), (True, True, 6)]
)
def test_the_size_of_a_manyof_counts_its_rules(distinct: bool, ordered: bool, size: int) -> None:
    assert many(distinct, ordered).size == size


def test_a_large_size_is_exact() -> None:
    space = GenotypeSpace(pg.geno.space([pg.geno.oneof([pg.geno.constant()] * 9) for _ in range(22)]))
    assert space.size == 9**22
    assert space.enumerate(9**22 - 1, 5).tolist() == [[8] * 22]
    assert space.enumerate(9**21 + 2, 1).tolist() == [[1] + [0] * 20 + [2]]


def test_a_float_makes_a_space_infinite_unless_its_bounds_are_equal() -> None:
    assert conditional().size is None
    assert GenotypeSpace(pg.floatv(1.0, 1.0)).size == 1
    with pytest.raises(ValueError, match="open floats cannot be listed"):
        conditional().enumerate(0, 1)


def test_enumerate_refuses_negative_numbers() -> None:
    with pytest.raises(ValueError, match="start=-1, count=3"):
        many(True, True).enumerate(-1, 3)


def test_sampling_is_uniform_over_each_decision() -> None:
    rows = many(True, False).sample(12_000, np.random.default_rng(RNG_SEED))
    counts = np.unique(rows, axis=0, return_counts=True)[1]
    assert len(counts) == 12
    assert 800 < counts.min() <= counts.max() < 1200


@pytest.mark.parametrize(("scale", "median"), [("linear", 5.05), ("log", 1.0), ("rlog", 9.1)])
def test_floats_are_sampled_uniformly_on_their_scale(scale: str, median: float) -> None:
    space = GenotypeSpace(pg.floatv(0.1, 10.0, scale))
    values = space.sample(20_000, np.random.default_rng(RNG_SEED))[:, 0]
    assert 0.1 <= values.min() < values.max() <= 10.0
    assert np.median(values) == pytest.approx(median, rel=0.05)


def test_inactive_columns_hold_their_lowest_values() -> None:
    space = conditional()
    rows = space.sample(200, np.random.default_rng(RNG_SEED))
    off = rows[:, 0] != 3
    assert (rows[off][:, 1:3] == [0, 0.1]).all()
    assert (space.active(rows)[:, 1] == ~off).all()


def test_mutation_reaches_all_values_of_one_decision_equally() -> None:
    space = GenotypeSpace(pg.Dict(x=pg.oneof([0, 1, 2, 3])))
    changed = space.mutate(np.full((9_000, 1), 2, np.uint8), np.random.default_rng(RNG_SEED))
    values, counts = np.unique(changed, return_counts=True)
    assert values.tolist() == [0, 1, 3]
    assert 2_800 < counts.min() <= counts.max() < 3_200


def test_mutation_of_a_permutation_exchanges_two_positions() -> None:
    space = GenotypeSpace(pg.permutate(["a", "b", "c", "d"]))
    changed = space.mutate(space.enumerate(0, 1).repeat(50, axis=0), np.random.default_rng(RNG_SEED))
    assert ((changed != [0, 1, 2, 3]).sum(axis=1) == 2).all()
    assert len(space.unique(changed)) == 6


def test_a_sorted_position_takes_what_is_nested_below_it_along() -> None:
    nested = pg.oneof([10, 20, 30])
    space = GenotypeSpace(pg.manyof(2, [0, nested, 2], sorted=True))
    row = space.encode([30, 2])
    changed = space.mutate(row[None].repeat(100, axis=0), np.random.default_rng(RNG_SEED))
    assert [0, 30] in [list(space.decode(each)) for each in changed]
    assert space.valid(changed).all()


def test_crossover_keeps_what_both_parents_share() -> None:
    space = conditional()
    first, second = space.from_json([3, 1, 2.0, 0])[None], space.from_json([3, 0, 2.0, 0])[None]
    children = space.crossover(first.repeat(50, 0), second.repeat(50, 0), np.random.default_rng(RNG_SEED))
    assert (children[:, [0, 2, 3]] == [3, 2.0, 0]).all()
    assert set(children[:, 1]) == {0, 1}
    with pytest.raises(ValueError, match="got 1 and 0"):
        space.crossover(first, second[:0], np.random.default_rng(0))


def test_crossover_takes_a_share_of_decisions_from_the_first_parent() -> None:
    space = GenotypeSpace(pg.Dict(a=pg.oneof([0, 1]), b=pg.oneof([0, 1]), c=pg.manyof(2, "abc"), d=pg.oneof([0, 1])))
    first, second = np.array([[1, 1, 1, 2, 1]]).repeat(1000, 0), np.array([[0, 0, 2, 0, 0]]).repeat(1000, 0)
    children = space.crossover(first, second, np.random.default_rng(RNG_SEED), np.array([1.0, 0.0, 1.0, 0.0, 0.25]))
    assert (children[:, :4] == [1, 0, 1, 2]).all()
    assert 200 < children[:, 4].sum() < 300


def test_repair_clips_rounds_and_restores_rules() -> None:
    assert conditional().repair(np.array([[7.2, 0.6, 99.0, np.nan]])).tolist() == [[3, 1, 10.0, 0]]
    assert conditional().repair(np.array([[1.4, 1, 5.0, 1]])).tolist() == [[1, 0, 0.1, 1]]
    assert many(True, False, 3).repair(np.array([[2, 2, -5], [3, 3, 3]])).tolist() == [[2, 1, 0], [3, 0, 1]]
    assert many(True, True, 3).repair(np.array([[3, 3, 0]])).tolist() == [[0, 1, 3]]
    assert many(True, True, 3).repair(np.zeros((0, 3))).tolist() == []


def test_repair_may_keep_what_is_not_active() -> None:
    assert conditional().repair(np.array([[1, 1, 99.0, 1]]), keep_inactive=True).tolist() == [[1, 1, 10.0, 1]]


def test_valid_refuses_what_is_not_canonical() -> None:
    rows = np.array([[3, 1, 5.0, 1], [0, 1, 0.1, 0], [0.5, 0, 0.1, 0], [4, 0, 0.1, 0], [3, 0, np.nan, 0]])
    assert conditional().valid(rows).tolist() == [True, False, False, False, False]
    assert many(True, True).valid(np.array([[0, 1], [1, 0], [1, 1]])).tolist() == [True, False, False]


def test_neighbours_of_a_conditional_space_take_first_values_of_what_they_switch_on() -> None:
    space = conditional()
    around = space.neighbours(space.from_json([0, 0, 0.1, 0]))
    assert around.tolist() == [[1, 0, 0.1, 0], [2, 0, 0.1, 0], [3, 0, 0.1, 0], [0, 0, 0.1, 1]]


@pytest.mark.parametrize(("distinct", "ordered", "count"), [(False, False, 6), (True, False, 5), (True, True, 4)])
def test_neighbours_of_a_manyof_keep_its_rules(distinct: bool, ordered: bool, count: int) -> None:
    space = many(distinct, ordered)
    assert len(space.neighbours(space.from_json([0, 1]))) == count


def test_unique_gives_first_occurrences_in_order() -> None:
    space = many(False, False)
    assert space.unique(np.array([[1, 1], [0, 2], [1, 1], [0, 2], [3, 3]])).tolist() == [0, 1, 4]


def test_keys_see_signed_zeros_as_one_value() -> None:
    space = GenotypeSpace(pg.floatv(-1.0, 1.0))
    first, second, third = space.keys(np.array([[0.0], [-0.0], [0.5]]))
    assert first == second != third


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[0]", "must be a list of 4 numbers, got '\\[0\\]'"),
        ([0, 0, 0.1], "has 4 numbers, got 3"),
        ([True, 0, 0.1, 0], "column 'op' must hold an integer from 0 to 3, got True"),
        (["0", 0, 0.1, 0], "column 'op' must hold an integer from 0 to 3, got '0'"),
        ([1.5, 0, 0.1, 0], "column 'op' must hold an integer from 0 to 3, got 1.5"),
        ([float("nan"), 0, 0.1, 0], "column 'op' must hold an integer from 0 to 3, got nan"),
        ([10**400, 0, 0.1, 0], "column 'op' must hold a choice from 0 to 3, got 1000"),
        ([-1, 0, 0.1, 0], "column 'op' must hold a choice from 0 to 3, got -1"),
        ([3, 0, float("nan"), 0], "column 'op\\[=3/4\\].rate' must hold a number from 0.1 to 10.0, got nan"),
        ([3, 0, 10.5, 0], "must hold a number from 0.1 to 10.0, got 10.5"),
        ([3, 0, None, 0], "must hold a number from 0.1 to 10.0, got None"),
        ([0, 1, 0.1, 0], "column 'op\\[=3/4\\].size' is not active in this genotype and must hold 0, got 1"),
        ([0, 0, [], 0], "is not active in this genotype and must hold 0.1, got \\[\\]"),
    ],
)
def test_from_json_names_the_column_and_the_value(values: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conditional().from_json(values)


def test_from_json_holds_the_rules_of_a_manyof() -> None:
    with pytest.raises(ValueError, match=r"columns x\[0\], x\[1\] must hold distinct and sorted choices, got \[2, 1\]"):
        many(True, True).from_json([2, 1])


def test_to_json_writes_choices_as_integers() -> None:
    values = conditional().to_json(np.array([3, 1, 2.0, 0]))
    assert values == [3, 1, 2.0, 0]
    assert [type(value) for value in values] == [int, int, float, int]


def test_a_dna_of_another_space_is_refused() -> None:
    with pytest.raises(ValueError, match="column 'op' must hold a choice from 0 to 3, got 9"):
        conditional().from_dna(pg.DNA([9, 0]))
    with pytest.raises(ValueError, match="more than the 4 decisions"):
        conditional().from_dna(pg.DNA([0, 0, 1]))
    with pytest.raises(ValueError, match="column 'depth' must hold an integer from 0 to 1, got None"):
        conditional().from_dna(pg.DNA(0))


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must have shape \(n, 4\), got \(4,\)"):
        conditional().keys(np.zeros(4))


class Custom(pg.hyper.CustomHyper):
    def custom_decode(self, dna: pg.DNA) -> int:
        return 1


def test_custom_decision_points_are_refused() -> None:
    with pytest.raises(ValueError, match="'x' is a custom decision point"):
        GenotypeSpace(pg.Dict(x=Custom()))


def test_infinite_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="both must be finite"):
        GenotypeSpace(pg.Dict(x=pg.floatv(0.0, float("inf"))))


def test_a_specification_alone_has_genotypes_but_no_values() -> None:
    space = GenotypeSpace(conditional().dna_spec)
    assert space.to_dna(np.array([3, 1, 2.0, 0])) == pg.DNA([(3, [1, 2.0]), 0])
    with pytest.raises(ValueError, match="cannot decode: this space was made from a DNASpec"):
        space.decode(np.array([0, 0, 0.1, 0]))


def test_a_specification_without_locations_has_unique_names() -> None:
    space = GenotypeSpace(pg.geno.space([pg.geno.oneof([pg.geno.constant()] * 2) for _ in range(2)]))
    assert [column.name for column in space.columns] == ["value#0", "value#1"]


def test_a_space_survives_pickling() -> None:
    space = conditional()
    again = cloudpickle.loads(cloudpickle.dumps(space))
    assert (again.fingerprint, again.columns) == (space.fingerprint, space.columns)
    row = space.from_json([3, 1, 2.0, 0])
    assert pg.eq(again.decode(row), space.decode(row))
