"""The API's table of trials: pages, filters, order, files; and one trial in full."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pytest

from search.dashboard.arrow import ARROW
from tests.dashboard.asking import API, Asking
from tests.dashboard.demo_study import HOSTILE


def numbers(api: Asking, where: str, **more: Any) -> list[int]:
    """Return the trials that a filter is true of."""
    found = api.json("/studies/mixed/trials", where=where, limit=500, **more)
    return [row["number"] for row in found["rows"]]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('state == "failed"', [3, 13, 23, 33, 43, 53]),
        ("number in [1, 5, 7]", [1, 5, 7]),
        ("number >= 57 and not number == 58", [57, 59]),
        ('(number < 2 or number > 58) and state != "COMPLETED"', [0, 1, 59]),
        ("number<3 and accuracy", [0, 1, 2]),
        ("number < 5 and not accuracy > -1e9", []),
        ("number < 0.5", [0]),
        ('worker contains "host-1" and number < 5', [1, 4]),
        ("`number` = 4", [4]),
    ],
)
def test_a_filter(api: Asking, where: str, expected: list[int]) -> None:
    assert numbers(api, where) == expected


def test_choices_are_filtered_by_label_and_by_number(api: Asking) -> None:
    by_number = numbers(api, "d:kernel >= 5 and kernel != 7")
    assert by_number == numbers(api, 'kernel == "5"')
    assert 0 < len(by_number) < 60
    assert set(numbers(api, f"block == {HOSTILE!r}")) == set(numbers(api, 'block contains "<script>"'))


def test_the_front_is_a_filter(api: Asking) -> None:
    assert numbers(api, "front") == api.json("/studies/mixed")["front"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("accuracy >", "expected a number or a text in quotes"),
        ("accuracy > 1 accuracy", "expected `and`, `or` or the end; found 'accuracy' at 13"),
        ("acuracy > 1", "did you mean 'accuracy'?"),
        ('accuracy == "high"', "'accuracy' is a number"),
        ('state > "FAILED"', "'state' is a text"),
        ("accuracy; DROP TABLE trials", "'; DROP TABLE trials' at 8 is not understood"),
        ("accuracy > 1) or (1 == 1", "expected `and`, `or` or the end"),
        ("(" * 60 + "accuracy" + ")" * 60, "more than 40 brackets"),
        ("not " * 100 + "accuracy", "more than 40 brackets"),
        ("__import__('os')", "there is no column '__import__'"),
    ],
)
def test_a_filter_that_is_not_one(api: Asking, where: str, words: str) -> None:
    status, error = api.error("/studies/mixed/trials", where=where)
    assert (status, words in error) == (400, True), error


def test_pages_follow_one_another(api: Asking) -> None:
    seen: list[int] = []
    page = {"next": None}
    while not seen or page["next"]:
        after = {"after": page["next"]} if page["next"] else {}
        page = api.json("/studies/mixed/trials", sort="accuracy", order="desc", limit=7, columns="accuracy", **after)
        assert page["first"] == len(seen)
        seen += [row["number"] for row in page["rows"]]
    assert sorted(seen) == list(range(60))
    assert seen == numbers(api, "", sort="accuracy", order="desc")


def test_trials_without_a_value_come_last_either_way(api: Asking) -> None:
    missing = numbers(api, "not latency_ms")
    assert numbers(api, "", sort="latency_ms")[-len(missing) :] == missing
    assert numbers(api, "", sort="latency_ms", order="desc")[-len(missing) :] == missing


@pytest.mark.parametrize("after", ["x", "1", "-1.2", "1.2.3", "9" * 30 + ".1"])
def test_a_page_that_is_not_there(api: Asking, after: str) -> None:
    assert api.error("/studies/mixed/trials", after=after)[0] == 400


def test_csv_is_what_the_table_shows(api: Asking) -> None:
    asked = {"where": "number < 30 and accuracy", "sort": "accuracy", "columns": "number,state,accuracy,d:block,reason"}
    text = api.get(f"{API}/studies/mixed/trials.csv", params=asked).text
    rows = list(csv.DictReader(io.StringIO(text)))
    shown = api.json("/studies/mixed/trials", limit=500, **asked)["rows"]
    assert [[row["number"], row["accuracy"]] for row in rows] == [
        [str(row["number"]), str(row["accuracy"])] for row in shown
    ]
    assert api.json("/studies/mixed/trials.json", **asked) == shown


def test_a_trial_has_the_end_of_its_log(api: Asking) -> None:
    logs = [api.json(f"/studies/mixed/trials/{number}")["log"] for number in (3, 4)]
    assert logs == [f"epoch 1 of 3\n{HOSTILE}", ""]


def as_table(answer: Any) -> pa.Table:
    """Return what an Arrow stream holds."""
    assert answer.status_code == 200, answer.text
    return pa.ipc.open_stream(answer.content).read_all()


@pytest.mark.parametrize("ask", [{"params": {"format": "arrow"}}, {"headers": {"Accept": ARROW}}])
def test_pages_in_arrow_are_those_in_json(api: Asking, ask: dict[str, Any]) -> None:
    asked = {
        "where": "accuracy or number < 9",
        "sort": "accuracy",
        "limit": 20,
        "columns": "accuracy,d:block,worker,reason,front",
    }
    after: dict[str, str] = {}
    for _ in range(3):
        page = api.json("/studies/mixed/trials", **asked, **after)
        found = as_table(
            api.get(f"{API}/studies/mixed/trials", **ask | {"params": ask.get("params", {}) | asked | after})
        )
        assert found.to_pylist() == page["rows"]
        facts = {name.decode(): value.decode() for name, value in found.schema.metadata.items()}
        assert facts | {"change_seq": ""} == {
            "total": str(page["total"]), "first": str(page["first"]), "next": page["next"] or "", "change_seq": ""
        }  # fmt: skip
        after = {"after": page["next"]}


def test_an_arrow_file_holds_all_trials_and_types(api: Asking) -> None:
    found = as_table(api.get(f"{API}/studies/mixed/trials.arrow", params={"columns": "accuracy,d:kernel,finished_at"}))
    types = {field.name: str(field.type) for field in found.schema}
    texts = "dictionary<values=string, indices=int32, ordered=0>"
    assert types == {
        "number": "int32",
        "state": texts,
        "accuracy": "double",
        "d:kernel": texts,
        "finished_at": "double",
    }
    assert found["number"].to_pylist() == list(range(60))
    assert found["accuracy"].null_count == 60 - len(numbers(api, "accuracy"))


def test_a_page_in_json_is_short(api: Asking) -> None:
    assert api.error("/studies/mixed/trials", limit=501) == (400, "limit=501: a page in json has at most 500 trials")
    assert len(as_table(api.get(f"{API}/studies/mixed/trials", params={"limit": 501, "format": "arrow"}))) == 60


def test_a_cell_is_no_formula(api: Asking) -> None:
    from search.dashboard.export import _cell

    assert [_cell(value) for value in ("=1+1", "@x", "plain", -1.5)] == ["'=1+1", "'@x", "plain", -1.5]


def test_a_trial_in_full(api: Asking) -> None:
    trial = api.json("/studies/mixed/trials/0")
    assert trial["metadata"] == {"seed of the data": "3"}
    assert trial["links"]["bad"] == "javascript:alert(1)"
    assert [point["step"] for point in trial["curve"]] == [0, 1, 2]
    assert trial["reason"].endswith("expected latency_ms <= 14.0")
    assert [decision["active"] for decision in trial["decisions"]] == [True, True, True, True, False]
    assert trial["network"] is None
    assert "start the dashboard with --study FILE" in trial["why_no_network"]


def test_a_network_adds_up_to_its_latency(api: Asking) -> None:
    trial = api.json("/studies/perceptrons/trials/3")
    network = trial["network"]
    for device in ("phone", "board"):
        metric = f"latency_ms@{device}"
        parts = [layer["repeats"] * layer["latency"][metric] for layer in network["layers"]]
        assert sum(parts) == pytest.approx(trial["metrics"][metric])
    depth = int(trial["decisions"][1]["label"])
    assert [layer["repeats"] for layer in network["layers"]] == [1, depth, 1]
    assert "latency_ms@watch" in network["latency"]


@pytest.mark.parametrize("number", ["60", "-1", "x", "99999999999"])
def test_a_trial_that_is_not_there(api: Asking, number: str) -> None:
    assert api.error(f"/studies/mixed/trials/{number}")[0] in (404, 422)
    assert api.get(f"/studies/mixed/trials/{number}").status_code in (200, 404)
