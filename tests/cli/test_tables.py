"""Which stored latency table a device means, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from several_devices import device_table, store

from hardware_models.calibration import Calibration
from hardware_models.validation import ValidationReport
from search.cli.tables import opened, table_line, table_used, tables_of, version_text, warning_of
from search.storage import Storage, open_storage
from search.study_devices import StudyDevice

USUAL = {"engine": "torch", "threads": 1, "batch": 1}


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with open_storage(f"sqlite:///{tmp_path}/search.db") as opened_storage:
        yield opened_storage


def calibrated(mape: float, truth: float | None) -> Calibration:
    return Calibration(1.1, anchors=18, validation=ValidationReport(18, mape, 0.3, 0.1, 0.9, 0.9, 0.5, 0.6, truth))


def batches(storage: Storage, device: StudyDevice, **usual: object) -> list[int]:
    return [table.batch for table in tables_of(storage, device, {**USUAL, **usual})]


def test_the_only_kind_of_table_is_meant_whatever_the_study_measures_with(storage: Storage) -> None:
    digests = [store(storage, device_table("phone", slower)) for slower in (1.0, 1.5)]
    found = tables_of(storage, StudyDevice("phone", "phone"), USUAL)
    assert [table.sha256 for table in found] == digests[::-1]


def test_of_several_kinds_that_which_is_said_or_else_the_studys(storage: Storage) -> None:
    for batch in (1, 8):
        store(storage, device_table("phone", batch=batch))
    assert batches(storage, StudyDevice("p", "phone", batch=8)) == [8]
    assert batches(storage, StudyDevice("p", "phone"), engine="lite", batch=8) == [8]


def test_of_several_kinds_none_of_which_is_said_all_are_told(storage: Storage) -> None:
    for batch in (1, 8):
        store(storage, device_table("phone", batch=batch))
    told = r"which latency table of device 'phone' is not said: there are of engine lite, threads 1, batch 8, and of "
    with pytest.raises(ValueError, match=told + r"engine lite, threads 1, batch 1; say it by devices = \{'p': "):
        tables_of(storage, StudyDevice("p", "phone"), USUAL)


def test_a_kind_that_there_is_not_is_refused_with_those_there_are(storage: Storage) -> None:
    store(storage, device_table("phone"))
    with pytest.raises(ValueError, match="no latency table of device 'phone' is of batch 4: there are of engine lite"):
        tables_of(storage, StudyDevice("p", "phone", batch=4), USUAL)


def test_an_unknown_device_is_told_with_the_known_ones_and_what_to_do(storage: Storage) -> None:
    store(storage, device_table("phone"))
    with pytest.raises(
        ValueError, match=r"'pohne' is known; did you mean 'phone'\? there are phone, this, 1080ti_1, .*; import .*, or"
    ):
        tables_of(storage, StudyDevice("pohne", "pohne"), USUAL)


def test_a_table_that_was_used_is_found_by_its_digest(storage: Storage) -> None:
    first = store(storage, device_table("phone"))
    store(storage, device_table("phone", 2.0))
    table = table_used(storage, {"device": "phone", "sha256": first})
    assert table is not None and table.model == device_table("phone")
    assert table_used(storage, {"device": "phone", "sha256": "0" * 64}) is None


def test_what_is_told_of_a_table(storage: Storage) -> None:
    store(storage, device_table("phone", calibration=calibrated(0.028, 0.05)))
    table = opened(storage.latency_tables()[0])
    told = "latency table of The phone, lite 2.13.0, 1 thread, batch 1: 11 operators, stored, of "
    told += "2026-01-31T12:00:00+00:00; leave-one-out error on 18 networks 2.8 %"
    assert table_line(table) == told
    assert table_line(table, "a") == f"a: {told}"
    assert version_text(table.facts) == f"{table.sha256[:12]} of The phone, lite 2.13.0, of 2026-01-31T12:00:00+00:00"


def test_a_table_that_was_stored_without_its_provenance_is_told_by_its_row(storage: Storage) -> None:
    storage.save_latency_table(device_table("phone").to_json(), device="p", engine="e", threads=2)
    assert table_line(opened(storage.latency_tables()[0])).startswith(
        "latency table of p, e, 2 threads, batch 1: 11 op"
    )


@pytest.mark.parametrize(
    ("mape", "truth", "warned"),
    [(0.028, 0.01, False), (0.049, None, False), (0.13, 0.02, True), (0.09, 0.049, False), (0.051, None, True)],
)
def test_a_table_is_warned_of_where_it_errs_more_than_noise_explains(mape: float, truth: float, warned: bool) -> None:
    warning = warning_of(device_table("phone", calibration=calibrated(mape, truth)))
    assert (warning is not None) == warned


def test_the_warning_says_how_far_off_the_table_is_and_what_to_do() -> None:
    assert warning_of(device_table("phone", calibration=calibrated(0.13, 0.02))) == (
        "its mean error on 18 networks is 13.0%, the measurements' own halves differ by 2.0%: "
        "take its latencies as a ranking, or profile on a quiet machine"
    )


def test_what_has_no_calibration_is_not_judged() -> None:
    assert warning_of(device_table("phone")) is None
    assert warning_of(object()) is None
