"""What the API changes: drivers that pause, go on and stop; names, tags and notes; deletion."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from search.dashboard.security import Access
from search.dashboard.store import Store
from search.storage import open_storage
from tests.dashboard.asking import Asking
from tests.dashboard.demo_study import HOSTILE, mixed_study
from tests.tiny_study import write_tiny_study


def wait_until(own: Asking, name: str, **expected: Any) -> dict[str, Any]:
    """Return the study once it stands as expected."""
    end = time.monotonic() + 60
    while True:
        answer = own.get(f"/api/v1/studies/{name}")
        study = answer.json()
        if answer.status_code == 200 and all(study[key] == value for key, value in expected.items()):
            return dict(study)
        assert time.monotonic() < end, study
        time.sleep(0.1)


def wait_for_more(own: Asking, name: str, trials: int) -> None:
    """Wait until a study has more trials than so many."""
    end = time.monotonic() + 60
    while sum(own.json(f"/studies/{name}")["counts"].values()) <= trials:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_driver_pauses_goes_on_and_stops(own: Asking, tmp_path: Path) -> None:
    file = write_tiny_study(tmp_path)
    url = f"sqlite:///{tmp_path}/search.db"
    command = [sys.executable, "-m", "search", "launch", str(file), "--storage", url, "--set", "pause_s=0.1"]
    driver = subprocess.Popen([*command, "--max-trials", "10000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(own, "tiny", state="running")
        assert own.change("POST", "/studies/tiny/control", {"action": "pause"}).json()["state"] in ("pausing", "paused")
        counts = wait_until(own, "tiny", state="paused")["counts"]
        time.sleep(1.5)
        assert own.json("/studies/tiny")["counts"] == counts
        assert own.change("POST", "/studies/tiny/control", {"action": "resume"}).json()["state"] == "running"
        wait_for_more(own, "tiny", sum(counts.values()))
        assert own.change("PATCH", "/studies/tiny", {"note": "beside the driver", "tags": ["live"]}).status_code == 200
        own.change("POST", "/studies/tiny/control", {"action": "stop"})
        assert driver.wait(30) == 3
    finally:
        driver.kill()
    study = wait_until(own, "tiny", state="stopped", reason="stopped")
    assert study["counts"]["running"] == 0
    assert (study["note"], study["tags"]) == ("beside the driver", ["live"])


def test_a_note_beside_a_driver_does_not_disturb_it(own: Asking) -> None:
    with mixed_study(own.store.writable(), "driven", 5, finish=False) as study:
        assert own.change("PATCH", "/studies/driven", {"note": "# here"}).status_code == 200
        study.annotate(0, {"later": 1.0})
        assert own.json("/studies/driven")["note"] == "# here"


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_nobody_obeys_for_a_study_without_a_driver(own: Asking, action: str) -> None:
    answer = own.change("POST", "/studies/mixed/control", {"action": action})
    assert answer.status_code == 409
    assert answer.json()["error"].startswith(f"study 'mixed' has no driver that could {action}: it is ended")


def test_what_is_driven_is_neither_renamed_nor_deleted(own: Asking) -> None:
    with mixed_study(own.store.writable(), "driven", 5, finish=False):
        assert own.change("PATCH", "/studies/driven", {"name": "other"}).status_code == 409
        assert own.change("DELETE", "/studies/driven").status_code == 409
    assert own.change("DELETE", "/studies/driven").status_code == 204
    assert own.error("/studies/driven")[0] == 404


def test_a_study_gets_another_name(own: Asking) -> None:
    assert own.change("PATCH", "/studies/mixed", {"name": "renamed"}).json()["name"] == "renamed"
    assert own.json("/studies/renamed")["counts"]["completed"] == 36
    assert own.error("/studies/mixed")[0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "perceptrons"}, 409),
        ({"name": "../x"}, 400),
        ({"name": HOSTILE}, 400),
        ({"tags": ["x" * 65]}, 400),
        ({"tags": ["a\nb"]}, 400),
        ({"tags": [str(n) for n in range(40)]}, 400),
        ({"note": "x" * 70_000}, 400),
        ({"note": "a\0b"}, 400),
        ({"archived": "perhaps"}, 422),
        ({"settings": {}}, 422),
        ([], 422),
    ],
)
def test_a_change_that_is_not_one(own: Asking, body: Any, status: int) -> None:
    before = own.json("/studies/mixed")
    answer = own.change("PATCH", "/studies/mixed", body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert own.json("/studies/mixed") == before


def test_hostile_texts_stay_texts(own: Asking) -> None:
    answer = own.change("PATCH", "/studies/mixed", {"tags": [HOSTILE], "note": HOSTILE, "archived": True})
    assert answer.headers["content-type"] == "application/json"
    study = own.json("/studies/mixed")
    assert (study["tags"], study["note"], study["archived"]) == ([HOSTILE], HOSTILE, True)


def test_a_read_only_dashboard_changes_nothing(own: Asking, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/search.db", read_only=True)
    viewer = Asking(store, Access(read_only=True))
    for method, path, body in [
        ("POST", "/studies/mixed/control", {"action": "stop"}),
        ("PATCH", "/studies/mixed", {"name": "x"}),
        ("DELETE", "/studies/mixed", None),
    ]:
        answer = viewer.change(method, path, body)
        assert (answer.status_code, "read-only" in answer.json()["error"]) == (403, True)
    assert viewer.json("/session")["read_only"]
    store.close()


def test_the_reading_connection_cannot_write(own: Asking, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/search.db", read_only=True)
    with pytest.raises(Exception, match="attempt to write a readonly database"):
        store.reading.delete("mixed")
    store.close()
    with open_storage(f"sqlite:///{tmp_path}/search.db") as storage:
        assert len(storage.studies()) == 2
