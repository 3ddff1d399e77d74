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


def labels(*choices: str) -> tuple[str, ...]:
    return read_decisions([{"name": "block", "choices": list(choices)}]).columns[0].choices


def test_what_is_open_below_a_choice_is_left_out_of_its_label() -> None:
    assert labels("{heads=OneOf(candidates=[0: 1, 1: 2])}", "None") == ("heads=…", "None")
    assert labels("[0: Float(min_value=0.0, max_value=1.0), 1: 3]", "(1, 2)") == ("[…, 3]", "(1, 2)")


def test_the_items_of_a_list_are_not_numbered() -> None:
    assert labels("[0: 0.5, 1: 0.75]", "{a=[0: 1, 1: 2], b={c=3}}") == ("[0.5, 0.75]", "a=[1, 2], b={c=3}")


def test_objects_of_one_class_are_told_apart() -> None:
    assert labels("Conv(k=3)", "Conv(k=5)", "Pool(k=2)") == ("Conv(k=3)", "Conv(k=5)", "Pool")
    assert labels(*[f"Block(channels={[16] * 20}, kernel={kernel})" for kernel in (1, 3)]) == ("Block 0", "Block 1")
    assert labels("Block(16)", "Block(16)") == ("Block", "Block")


def test_classes_and_functions_have_their_bare_names() -> None:
    assert labels("<class 'torch.nn.modules.activation.ReLU'>", "<function act.<locals>.swish at 0x7f>") == (
        "ReLU",
        "swish",
    )
    assert labels("<built-in method tanh of type object at 0x7f>", "<?>") == ("tanh", "<?>")


def test_numbers_have_few_digits_where_that_tells_them_apart() -> None:
    assert labels("0.30000000000000004", "1.2345678e-07") == ("0.3", "1.235e-07")
    assert labels("0.123451", "0.123452") == ("0.123451", "0.123452")
