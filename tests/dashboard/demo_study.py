"""A database to look at and to test on: studies of several kinds, with everything that a trial can come to.

python tests/dashboard/demo_study.py [search.db]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pyglove as pg

from search.algorithms.random import Random
from search.annotations import Annotations
from search.objectives import parse_constraints, parse_objectives
from search.preparations import Preparation, record_step
from search.storage import Storage, open_storage
from search.study import Study
from search.study_file import StudyDefinition, load_study_file
from search.study_notes import StudyNotes, write_notes
from search.trials import Outcome, TrialState
from spaces.genotype import GenotypeSpace
from tests.several_devices import device_table, run_study, store, write_study

PREPARED = "5a" * 32
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SPACE = GenotypeSpace(
    pg.Dict(
        kernel=pg.oneof([3, 5, 7]),
        block=pg.oneof(["plain", "mobile", HOSTILE]),
        width=pg.floatv(0.5, 2.0),
        attention=pg.oneof([None, pg.Dict(heads=pg.oneof([1, 2, 4]))]),
    )
)


def mixed_study(storage: Storage, name: str = "mixed", trials: int = 60, *, finish: bool = True) -> Study:
    """Return a study of choices, a float and a conditional decision, whose trials end in every way there is."""
    study = Study.create_or_resume(
        storage, name, SPACE, Random(), parse_objectives({"accuracy": "maximize", "latency_ms": "minimize"}),
        parse_constraints(["latency_ms <= 14"]), max_trials=trials, seed=7,
        settings={"study": "mixed", "description": f"Everything that can happen {HOSTILE}"},
    )  # fmt: skip
    rng = np.random.default_rng(0)
    while given := study.ask(1):
        trial = given[0]
        kernel, block, width = trial.genotype[:3]
        for step in range(3):
            study.report(trial, {"accuracy": 50 + 5 * step + 2 * kernel + 4 * width}, step)
        accuracy, latency_ms = 60 + 2 * kernel + 4 * width + rng.normal(), (1 + kernel + block) * 3 * width
        metrics = {"accuracy": accuracy, "latency_ms": latency_ms, "macs": 1e6 * (1 + kernel) * width}
        _tell(study, trial, metrics)
    if finish:
        study.finish("budget reached")
    return study


def _tell(study: Study, trial: Any, metrics: dict[str, float]) -> None:
    where = {"elapsed_s": 0.1 + 0.01 * trial.number, "worker": f"host-{trial.number % 3}:12{trial.number % 2}"}
    if trial.number % 10 == 3:
        reason, log = f"RuntimeError: {HOSTILE} out of memory", f"epoch 1 of 3\n{HOSTILE}"
        study.tell_many([Outcome(trial, {}, TrialState.FAILED, reason, log=log, **where)])
    elif trial.number % 10 == 6:
        study.tell(trial, {}, state=TrialState.STOPPED, reason="stopped early, after a measurement", **where)
    else:
        study.tell(trial, metrics, **where)


def devices_study(storage: Storage, folder: Path) -> StudyDefinition:
    """Make a study of perceptrons on two devices, with a table of a third; return its definition."""
    definition = load_study_file(write_study(folder))
    tables = {name: device_table(name) for name in ("phone", "board")}
    for name in ("phone", "board", "watch"):
        store(storage, device_table(name))
    run_study(storage, definition, tables, "perceptrons")
    return definition


def make_demo(storage: Storage, folder: Path) -> None:
    """Fill a database with two studies, one of them noted on, and a preparation that is under way."""
    with mixed_study(storage) as study:
        note = f"# Mixed\n\nSome *notes* with a [link](https://example.org) and {HOSTILE}"
        write_notes(storage.database, study.id, StudyNotes(("demo", HOSTILE), note))
        notes = Annotations(storage.database, study.id)
        notes.set_metadata({"seed of the data": "3"}, 0)
        notes.set_links(0, {"log": "https://example.org/log", "bad": "javascript:alert(1)"})
    devices_study(storage, folder)
    for step in range(6):
        metrics = {"loss": 2.3 * 0.7**step, "entropy_nats": 2.2 - 0.2 * step}
        record_step(storage.database, Preparation(PREPARED, "fbnet dnas", progress=(step + 1) / 8), step, metrics)


def launch_shipped(url: str) -> None:
    """Run a shipped study with the latencies of real devices that come with the project."""
    from search.cli import main

    devices = "['pixel3', 'raspi4', '1080ti_1']"
    aims = "{'accuracy': 'maximize', 'latency_ms@pixel3': 'minimize'}"
    sys.argv = ["search", "launch", "nasbench201", "--storage", url, "--max-trials", "400", "--launcher", "serial",
                "--set", f"devices={devices}", "--set", f"objectives={aims}"]  # fmt: skip
    main()


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "search.db").resolve()
    with open_storage(f"sqlite:///{path}") as made:
        make_demo(made, path.parent)
    launch_shipped(f"sqlite:///{path}")
