"""Genotypes in words."""

from __future__ import annotations

from search.decisions import read_decisions

COLUMNS = [
    {"name": "block", "choices": ["None", "Block(kernel=OneOf(candidates=[0: 3, 1: 5]))"], "parent": -1},
    {"name": "block.kernel", "choices": ["'k3'", "'k5'"], "parent": 0, "parent_choice": 1},
    {"name": "width", "choices": [], "parent": -1},
]


def test_active_decisions_are_named() -> None:
    assert read_decisions(COLUMNS).values([1, 0, 0.5]) == {"block": "Block", "block.kernel": "k3", "width": 0.5}


def test_a_decision_that_is_not_in_force_is_a_dash() -> None:
    assert read_decisions(COLUMNS).text([0, 0, 0.25]) == "None · - · 0.25"


def test_long_genotypes_stand_in_groups() -> None:
    columns = [{"name": f"stages[{index // 7}].kernel{index}", "choices": ["3", "5"]} for index in range(14)]
    decisions = read_decisions(columns)
    assert decisions.text([0, 1] * 7) == "3 · 5 · 3 · 5 · 3 · 5 · 3 | 5 · 3 · 5 · 3 · 5 · 3 · 5"
    assert decisions.names == "stages[0] | stages[1]"


def test_a_description_that_is_none_gives_numbers() -> None:
    assert read_decisions("nonsense").values([2, 3]) == {"decision 0": 2, "decision 1": 3}


def test_objects_of_one_class_are_told_apart() -> None:
    same = [f"Block(channels=16, kernel={kernel})" for kernel in (1, 3)]
    assert read_decisions([{"name": "block", "choices": ["None", *same]}]).text([1]) == same[0]
    long = [f"Block(channels={[16] * 20}, kernel={kernel})" for kernel in (1, 3)]
    assert read_decisions([{"name": "block", "choices": long}]).text([1]) == "Block 1"
    assert read_decisions([{"name": "block", "choices": [same[0], same[0]]}]).text([1]) == "Block"
