"""What the API says of many trials: importance, effects, choices, who worked when."""

from __future__ import annotations

import numpy as np
import pytest

from search.dashboard.importance import Question, importances
from search.dashboard.network import stretches
from tests.dashboard.asking import Asking


def test_the_decision_that_matters_is_found() -> None:
    rng = np.random.default_rng(0)
    genotypes = rng.integers(0, 4, (300, 3))
    question = Question(
        3.0 * genotypes[:, 1] + rng.normal(size=300), genotypes, np.ones((300, 3), bool), [4] * 3, [(0, 3)] * 3
    )
    found, spread = importances(question)
    assert found.sum() == pytest.approx(1.0)
    assert found[1] > 0.8
    assert (spread >= 0).all()


def test_importance_is_answered_from_a_process_of_its_own(api: Asking) -> None:
    found = api.json("/studies/mixed/importance")
    assert found["method"] == "PED-ANOVA (Watanabe et al., IJCAI 2023; Optuna)"
    assert (found["metric"], found["sample"]) == ("accuracy", 36)
    shares = [decision["importance"] for decision in found["decisions"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0)


def test_importance_of_too_few_trials_is_not_told(api: Asking) -> None:
    found = api.json("/studies/perceptrons/importance")
    assert (found["decisions"], found["why"]) == ([], "too few completed trials: 14 of at least 20")


def test_effects_are_means_by_choice(api: Asking) -> None:
    trials = api.json("/studies/mixed/columns", names="state,latency_ms,d:kernel")["columns"]
    kernel = api.json("/studies/mixed/effects", metric="latency_ms")["decisions"][0]
    for label, mean, count in zip(kernel["labels"], kernel["mean"], kernel["count"], strict=True):
        rows = zip(trials["state"], trials["latency_ms"], trials["d:kernel"], strict=True)
        values = [value for state, value, choice in rows if state == "COMPLETED" and choice == label]
        assert (len(values), sum(values) / len(values)) == (count, pytest.approx(mean))


def test_shares_of_choices_add_up(api: Asking) -> None:
    found = api.json("/studies/mixed/choices")
    assert (found["front"], found["all"]) == (len(api.json("/studies/mixed")["front"]), 36)
    assert all(sum(decision["all"]) == pytest.approx(1.0) for decision in found["decisions"])


def test_bars_of_workers_are_as_long_as_their_trials_took(api: Asking) -> None:
    found = api.json("/studies/mixed/timeline", limit=5)
    assert (found["total"], len(found["number"])) == (60, 5)
    assert all(end >= begin for begin, end in zip(found["begin"], found["end"], strict=True))
    assert found["workers"][found["worker"][0]].startswith("host-")


@pytest.mark.parametrize("path", ["importance", "effects"])
def test_what_is_no_number_is_refused(api: Asking, path: str) -> None:
    assert api.error(f"/studies/mixed/{path}", metric="d:block")[0] == 400
    assert api.error(f"/studies/mixed/{path}", metric="nothing")[0] == 400


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        ("", []),
        ("abc", [("a", 1), ("b", 1), ("c", 1)]),
        ("aaab", [("a", 3), ("b", 1)]),
        ("xababab", [("x", 1), ("ab", 3)]),
        ("abcabc", [("abc", 2)]),
    ],
)
def test_layers_that_come_again_are_folded(ops: str, expected: list[tuple[str, int]]) -> None:
    found = [("".join(stretch.ops), stretch.repeats) for stretch in stretches(ops)]  # type: ignore[arg-type]
    assert found == expected
