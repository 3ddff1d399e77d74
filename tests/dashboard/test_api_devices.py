"""What the API says of devices and preparations."""

from __future__ import annotations

import pytest

from search.cli.tables import keep_shipped
from search.preparations import Preparation, record_step, save_preparation
from search.study import Study
from tests.dashboard.asking import Asking
from tests.several_devices import device_table, facts_of, store


def test_stored_and_shipped_devices_are_listed(api: Asking) -> None:
    found = {item["name"]: item for item in api.json("/devices")["devices"]}
    assert (found["phone"]["source"], found["phone"]["engine"], found["phone"]["entries"]) == ("profiled", "lite", 11)
    assert found["pixel3"]["source"] == "shipped"
    assert 0 < found["pixel3"]["validation"]["kendall_tau"] < 1


def test_a_shipped_model_that_is_stored_is_listed_once(own: Asking) -> None:
    listed = own.json("/devices")["devices"]
    keep_shipped(own.store.writable(), "pixel3")
    again = own.json("/devices")["devices"]
    assert len(again) == len(listed)
    assert [item["source"] for item in again if item["name"] == "pixel3"] == ["learned"]


def test_devices_have_their_places_as_they_came(own: Asking) -> None:
    before = own.json("/devices")["order"]
    store(own.store.writable(), device_table("aaa"))
    after = own.json("/devices")["order"]
    used = ["phone", "board", "watch"]
    assert (before[:3], after[:4]) == (used, [*used, "aaa"])


def test_a_device_in_full(api: Asking) -> None:
    phone = api.json("/devices/phone")
    assert phone["provenance"]["device_name"] == "The phone"
    latencies = [entry["ms"] for entry in phone["entries"]]
    assert latencies == sorted(latencies, reverse=True)
    assert api.json(f"/devices/{phone['sha256'][:10]}")["name"] == "phone"
    assert phone["scatter"] == []


def test_choices_are_named_without_quotes(api: Asking) -> None:
    assert "edge_01 = none" in [entry["operator"] for entry in api.json("/devices/pixel3")["entries"]]


def test_a_newer_version_is_the_current_one(own: Asking) -> None:
    old = own.json("/devices/phone")["sha256"]
    new = store(own.store.writable(), device_table("phone", slower=2.0))
    current = {item["sha256"]: item["current"] for item in own.json("/devices")["devices"] if item["name"] == "phone"}
    assert current == {old: False, new: True}
    assert [version["sha256"] for version in own.json("/devices/phone")["versions"]] == [new, old]


def test_two_devices_side_by_side(own: Asking) -> None:
    store(own.store.writable(), device_table("slow", slower=2.0))
    store(own.store.writable(), device_table("fast"))
    found = own.json("/devices/compare", a="fast", b="slow")
    assert (found["common"], found["ratio"], found["spearman"]) == (11, [2.0] * 5, pytest.approx(1.0))
    assert all(second == 2 * first for first, second, _ in found["pairs"])


def test_what_cannot_be_compared_is_told(api: Asking) -> None:
    status, error = api.error("/devices/compare", a="phone", b="pixel3")
    assert (status, "nothing in common" in error) == (400, True)
    assert api.error("/devices/compare", a="phone", b="nosuch")[0] == 404


def test_predictions_stand_beside_what_was_measured(own: Asking) -> None:
    storage = own.store.writable()
    from tests.dashboard.demo_study import mixed_study

    table = device_table("here")
    store(storage, table)
    with mixed_study(storage, "measured", 3, finish=False) as study:
        study.annotate(0, {"measured_latency_ms": 12.5})
    import sqlalchemy as sa

    from search.schema import studies

    with storage.database.engine.begin() as connection:
        settings = {"latency_table": facts_of(table)}
        connection.execute(sa.update(studies).where(studies.c.name == "measured").values(settings=settings))
    predicted = Study.open(storage, "measured").trials().metrics["latency_ms"][0]
    assert own.json("/devices/here")["scatter"] == [[predicted, 12.5, "measured", 0]]


def test_preparations(own: Asking) -> None:
    assert [one["kind"] for one in own.json("/preparations")["preparations"]] == ["fbnet dnas"]
    save_preparation(own.store.writable().database, Preparation("abc", "supernet", progress=0.5, path="/secret/path"))
    found = own.json("/preparations/abc")
    assert (found["kind"], found["state"], found["progress"]) == ("supernet", "RUNNING", 0.5)
    assert (found["curves"], found["studies"]) == ({}, [])
    assert "/secret/path" not in str(found)
    assert own.error("/preparations/nosuch")[0] == 404


def test_a_preparations_curves_grow(own: Asking) -> None:
    database = own.store.writable().database
    for step in range(2):
        record_step(database, Preparation("abc", "supernet", progress=(step + 1) / 2), step, {"loss": 2.0 - step})
        assert own.json("/preparations/abc")["curves"] == {"loss": [[at, 2.0 - at] for at in range(step + 1)]}
