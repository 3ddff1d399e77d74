"""Viewers beside a driver: neither disturbs the other, and in the end they agree."""

from __future__ import annotations

import threading
from collections import Counter

from tests.dashboard.asking import API, Asking
from tests.stored_study import drive, make_study

PATHS = ("", "/changes?since=0", "/columns?names=number,state,accuracy,d:width,worker&since=0", "/trials?where=front",
         "/front", "/front?x=accuracy&y=latency_ms", "/effects", "/choices", "/timeline")  # fmt: skip


def test_viewers_and_a_driver_do_not_disturb_one_another(own: Asking) -> None:
    study = make_study(own.store.writable(), "live", max_trials=150)
    answers: Counter[int] = Counter()
    over = threading.Event()

    def view() -> None:
        while not over.is_set():
            for path in PATHS:
                answers[own.get(f"{API}/studies/live{path}").status_code] += 1

    viewers = [threading.Thread(target=view) for _ in range(3)]
    for viewer in viewers:
        viewer.start()
    drive(study)
    over.set()
    for viewer in viewers:
        viewer.join()
    assert list(answers) == [200]
    columns = own.json("/studies/live/columns", names="state,accuracy,latency_ms")["columns"]
    table = study.trials()
    assert columns["state"] == table.states.tolist()
    assert columns["accuracy"] == table.metrics["accuracy"].tolist()
    assert columns["latency_ms"] == table.metrics["latency_ms"].tolist()
    assert own.json("/studies/live")["front"] == study.front().numbers.tolist()
    study.close()
