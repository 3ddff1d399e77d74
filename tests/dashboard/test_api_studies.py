"""The API's studies: list, one in full, fronts, columns, what is new."""

from __future__ import annotations

import json

import numpy as np
import pytest

from search.study_view import StudyView
from tests.dashboard.asking import API, Asking
from tests.dashboard.demo_study import HOSTILE, mixed_study
from tests.stored_study import make_study


def test_the_list_has_a_line_on_every_study(api: Asking) -> None:
    mixed, perceptrons = api.json("/studies")["studies"]
    assert (mixed["name"], mixed["state"], mixed["tags"][0]) == ("mixed", "done", "demo")
    assert mixed["counts"] == {
        "pending": 0, "running": 0, "completed": 36, "infeasible": 12, "stopped": 6, "failed": 6,
    }  # fmt: skip
    assert perceptrons["devices"] == ["phone", "board"]
    latency = {"metric": "latency_ms@phone", "direction": "minimize", "quantity": "latency on phone", "unit": "ms"}
    assert perceptrons["objectives"][1] == latency


def test_best_values_are_those_of_the_trials(api: Asking) -> None:
    view = StudyView(api.store.reading, "mixed")
    best = api.json("/studies")["studies"][0]["best"]
    assert best["accuracy"] == view.best("accuracy").metrics["accuracy"][0]
    assert best["latency_ms"] == view.best("latency_ms").metrics["latency_ms"][0]


def test_a_study_in_full(api: Asking) -> None:
    study = api.json("/studies/mixed")
    assert study["front"] == StudyView(api.store.reading, "mixed").front().numbers.tolist()
    assert study["knee"] in study["front"]
    assert study["hypervolume"][-1][0] == 59
    assert [decision["kind"] for decision in study["decisions"]] == ["choice", "choice", "float", "choice", "choice"]
    assert study["decisions"][4]["conditional"]
    assert study["launch"] == ""
    assert (study["has_program"], "start the dashboard with --study FILE" in study["why_no_program"]) == (False, True)


def test_a_hypervolume_never_falls(api: Asking) -> None:
    volumes = [volume for _, volume in api.json("/studies/mixed")["hypervolume"]]
    assert volumes == sorted(volumes)
    assert 0 < volumes[-1] <= 1


def test_what_was_noted_is_data(api: Asking) -> None:
    answer = api.get(f"{API}/studies/mixed")
    assert answer.headers["content-type"] == "application/json"
    assert HOSTILE in answer.json()["note"]


def test_columns_in_bytes_are_those_in_json(api: Asking) -> None:
    names = "number,state,accuracy,d:block,created_at,front"
    raw = api.get(f"{API}/studies/mixed/columns?names={names}", headers={"Accept": "application/octet-stream"}).content
    line, _, blocks = raw.partition(b"\n")
    head = json.loads(line)
    assert head["dtypes"] == ["int32", "uint8", "float32", "uint8", "float64", "uint8"]
    values, at = {}, 0
    for name, dtype in zip(head["names"], head["dtypes"], strict=True):
        values[name] = np.frombuffer(blocks, np.dtype(dtype).newbyteorder("<"), head["rows"], at)
        at += values[name].nbytes
    assert at == len(blocks)
    plain = api.json("/studies/mixed/columns", names=names)["columns"]
    assert [head["labels"]["state"][code] for code in values["state"]] == plain["state"]
    assert values["created_at"].tolist() == plain["created_at"]
    known = [value is not None for value in plain["accuracy"]]
    assert np.isnan(values["accuracy"]).tolist() == [not has for has in known]


def test_a_decision_that_is_not_in_force_has_no_value(api: Asking) -> None:
    columns = api.json("/studies/mixed/columns", names="d:attention,d:attention[=1/2].heads")["columns"]
    none = [label == "None" for label in columns["d:attention"]]
    assert [value is None for value in columns["d:attention[=1/2].heads"]] == none


def test_columns_since_a_change_are_of_the_changed_trials(api: Asking) -> None:
    last = api.json("/studies/mixed")["change_seq"]
    found = api.json("/studies/mixed/columns", names="state", since=last - 4)
    assert (found["columns"], found["rows"]) == ({"number": [59], "state": ["INFEASIBLE"]}, 1)


@pytest.mark.parametrize("names", ["nothing", "m:nothing", "d:nothing", "d:block'--", "acuracy"])
def test_a_column_that_is_not_there_is_refused(api: Asking, names: str) -> None:
    status, error = api.error("/studies/mixed/columns", names=names)
    assert status == 400
    assert error.startswith(f"there is no column {names!r}; ")


def test_the_front_in_other_metrics(api: Asking) -> None:
    found = api.json("/studies/perceptrons/front", x="accuracy", y="latency_ms@board")
    view = StudyView(api.store.reading, "perceptrons")
    front = view.front({"accuracy": "maximize", "latency_ms@board": "minimize"})
    assert found["numbers"] == front.numbers.tolist()
    assert found["directions"] == ["maximize", "minimize"]


def test_the_same_trials_on_a_device_that_the_study_never_heard_of(api: Asking) -> None:
    assert "watch" in api.json("/studies/perceptrons")["recostable"]
    found = api.json("/studies/perceptrons/columns", names="d:width,d:depth,latency_ms@watch")["columns"]
    values = dict(zip(zip(found["d:width"], found["d:depth"], strict=True), found["latency_ms@watch"], strict=True))
    assert values["4", "0"] == pytest.approx(2 * 3.0 + 3e-2 * (8 * 4 + 4 * 2))


def test_a_device_without_a_model_of_the_space_is_refused(api: Asking) -> None:
    status, error = api.error("/studies/mixed/front", x="accuracy", y="latency_ms@pixel3")
    assert (status, "its model is of the space nasbench201" in error) == (400, True)


def test_a_metric_without_a_direction_is_asked_for_one(api: Asking) -> None:
    assert api.error("/studies/mixed/front", x="elapsed_s", y="number")[0] == 400
    assert api.json("/studies/mixed/front", x="accuracy:minimize")["directions"] == ["minimize"]


def test_nothing_new_is_a_304(api: Asking) -> None:
    first = api.get(f"{API}/studies/mixed/changes?since=5")
    again = api.get(f"{API}/studies/mixed/changes?since=5", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_changes_name_the_trials_that_changed(own: Asking) -> None:
    before = own.json("/studies/mixed/changes")
    with mixed_study(own.store.writable(), "more", 3, finish=False) as study:
        assert own.json("/studies/more/changes", since=-1)["numbers"] == [0, 1, 2]
        assert own.json("/studies/more")["state"] == "running"
        study.annotate(1, {"seen": 1.0})
        assert own.json("/studies/more/changes", since=study.change_seq - 1)["numbers"] == [1]
        assert own.json("/studies/more/columns", names="seen")["columns"]["seen"] == [None, 1.0, None]
    assert own.json("/studies/more")["state"] == "interrupted"
    assert own.json("/studies/mixed/changes") == before


def test_a_request_sees_as_many_trials_in_every_column_while_others_read_on(own: Asking) -> None:
    with make_study(own.store.writable(), "growing") as study:
        study.ask(4)
        early = own.store.study("growing")
        assert len(early.columns.states(early.sequence)) == 4
        study.ask(1)
        late = own.store.study("growing")
        assert late.columns is early.columns
        assert len(late.columns.worker_codes(late.sequence)) == 5
        assert len(early.columns.worker_codes(early.sequence)) == 4
        assert len(early.columns.genotypes(early.sequence)) == 4


def test_a_study_that_is_not_there(api: Asking) -> None:
    assert api.error("/studies/nosuch")[0] == 404
    assert api.get("/studies/nosuch").status_code == 404
