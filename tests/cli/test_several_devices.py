"""A study of several devices on the command line: one set of evaluations, a front on each device."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from several_devices import SOURCE, device_table, store, write_study

from hardware_models.at_device import AtDevice
from hardware_models.calibration import Calibration
from hardware_models.device import this_device
from hardware_models.validation import ValidationReport
from search.cli.application import application
from search.known_metrics import KnownMetrics
from search.storage import open_storage
from search.study import Study
from search.study_file import load_study_file

DEVICES = ("phone", "board", "watch")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments)


def document(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def error_of(*arguments: str) -> str:
    result = run(*arguments)
    assert (result.exit_code, "Traceback" in result.output) == (2, False)
    return result.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with the study file and a database with tables of three devices; another, launched in."""
    fresh = tmp_path_factory.mktemp("fresh")
    write_study(fresh)
    with open_storage(f"sqlite:///{fresh}/search.db") as storage:
        for device in DEVICES:
            store(storage, device_table(device))
    done = shutil.copytree(fresh, tmp_path_factory.mktemp("done") / "copy")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(done)
        result = run("launch", "perceptrons.py", "--json", "--storage", "sqlite:///search.db")
    (done / "launch.json").write_text(result.stdout)
    (done / "launch.log").write_text(result.stderr)
    return fresh, done


def enter(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of a folder."""
    shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("SEARCH_STORAGE", "sqlite:///search.db")
    return tmp_path / "copy"


@pytest.fixture
def folder(made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter(made[0], tmp_path, monkeypatch)


@pytest.fixture
def launched(made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the launch printed in JSON."""
    return json.loads((enter(made[1], tmp_path, monkeypatch) / "launch.json").read_text())  # type: ignore[no-any-return]


def trials() -> dict[str, np.ndarray]:
    """Return the completed trials' numbers and metrics."""
    with open_storage("sqlite:///search.db") as storage:
        table = Study.open(storage, "perceptrons").trials(states=["COMPLETED"])
    return {"number": table.numbers, **table.metrics, "genotype": table.genotypes}


def latencies(device: str) -> np.ndarray:
    """Return the trials' latencies on a device, from its first table."""
    model = AtDevice(device_table(device), device)
    return KnownMetrics(load_study_file("perceptrons.py").space, [model])(trials()["genotype"])[:, 0]


def front(device: str) -> set[int]:
    """Return the numbers of the trials on a device's front, by comparing each with each."""
    found = trials()
    points = np.stack([found["accuracy"], -latencies(device)], axis=1)
    beaten = [((points >= point).all(axis=1) & (points > point).any(axis=1)).any() for point in points]
    return set(found["number"][~np.array(beaten)].tolist())


def numbers(records: list[Mapping[str, Any]]) -> set[int]:
    return {record["number"] for record in records}


def test_every_trial_is_costed_on_every_device(launched: dict[str, Any]) -> None:
    for device in ("phone", "board"):
        assert trials()[f"latency_ms@{device}"].tolist() == latencies(device).tolist()
    assert launched["settings"]["devices"].keys() == {"phone", "board"}


def test_a_launch_says_where_latencies_come_from_and_draws_the_fronts(launched: dict[str, Any]) -> None:
    assert "phone: latency table of The phone, lite 2.13.0" in Path("launch.log").read_text()
    assert Path("perceptrons-pareto.png").read_bytes()[:4] == b"\x89PNG"


def test_one_table_shows_the_fronts_of_all_devices(launched: dict[str, Any]) -> None:
    lines = run("pareto", "perceptrons").stdout.splitlines()
    assert lines[0] == f"Pareto fronts: {len(front('phone'))} on phone, {len(front('board'))} on board"
    assert [line.split()[0] for line in lines[2:-1] if "phone" in line] == [
        str(number) for number in sorted(front("phone"), key=trials()["accuracy"].tolist().__getitem__)
    ]


def test_each_devices_front_is_of_the_same_trials(launched: dict[str, Any]) -> None:
    fronts = document("pareto", "perceptrons", "--plot", "fronts.svg")["fronts"]
    assert {device: numbers(records) for device, records in fronts.items()} == {
        device: front(device) for device in ("phone", "board")
    }
    assert launched["fronts"] == fronts
    assert "<svg" in Path("fronts.svg").read_text()


def test_a_device_that_the_study_did_not_name_has_a_front_without_an_evaluation(launched: dict[str, Any]) -> None:
    shown = document("pareto", "perceptrons", "--device", "watch", "--plot", "watch.png")
    assert numbers(shown["front"]) == front("watch")
    assert [r["metrics"]["latency_ms@watch"] for r in shown["front"]] == sorted(
        latencies("watch")[sorted(front("watch"))].tolist()
    )
    assert "latency_ms@watch" not in trials()
    assert Path("watch.png").exists()


def test_several_devices_may_be_picked(launched: dict[str, Any]) -> None:
    fronts = document("pareto", "perceptrons", "--device", "watch", "--device", "board")["fronts"]
    assert {device: numbers(records) for device, records in fronts.items()} == {
        "watch": front("watch"), "board": front("board")
    }  # fmt: skip


def test_a_front_of_other_metrics(launched: dict[str, Any]) -> None:
    board = document("pareto", "perceptrons", "--metric", "latency_ms@board")["front"]
    assert numbers(board) == front("board")
    worst = document("pareto", "perceptrons", "--metric", "latency_ms@board=maximize", "--metric", "latency_ms@phone")
    assert numbers(worst["front"]) >= {int(trials()["latency_ms@board"].argmax())}


def test_the_best_within_a_bound_on_any_device(launched: dict[str, Any]) -> None:
    for device, bound in (("board", 20.0), ("watch", 30.0)):
        within = latencies(device) <= bound
        expected = trials()["accuracy"][within].max()
        trial = document("best", "perceptrons", "--within", f"latency_ms@{device} <= {bound}")["trial"]
        assert trial["metrics"]["accuracy"] == expected


def test_bounds_that_nothing_meets(launched: dict[str, Any]) -> None:
    within = "best", "perceptrons", "--within", "latency_ms@board <= 0.1"
    assert document(*within)["trial"] is None
    least = f"the least of {len(latencies('board'))} trials is {latencies('board').min():.6g}"
    assert run(*within).stdout == f"no trial is within latency_ms@board <= 0.1: {least}\n"


def test_a_limit_that_no_network_meets_is_bad_input(folder: Path) -> None:
    told = error_of("launch", "perceptrons.py", "--set", "constraints=['latency_ms@board <= 0.1']")
    assert "error: no candidate was found within latency_ms@board <= 0.1 (the least of all" in told
    assert told.rstrip().endswith("; loosen it")
    assert document("list")["studies"] == []


def test_the_knee_of_a_devices_front(launched: dict[str, Any]) -> None:
    rows = sorted(front("watch"))
    scores = np.stack([trials()["accuracy"][rows], -latencies("watch")[rows]], axis=1)
    scaled = (scores - scores.min(axis=0)) / np.ptp(scores, axis=0)
    knee = document("best", "perceptrons", "--knee", "--device", "watch")["trial"]
    assert knee["number"] == rows[int(scaled.sum(axis=1).argmax())]
    assert document("best", "perceptrons", "--knee")["trial"]["number"] in front("phone")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["launch", "perceptrons.py", "--set", "devices=['phone','bord']"], "'bord' is known; did you mean 'board'?"),
        (["launch", "perceptrons.py", "--set", "device=bord", "--set", "report=latency_ms"], "did you mean 'board'?"),
        (["pareto", "perceptrons", "--device", "bord"], "there are board, phone, this, watch, 1080ti_1"),
        (["best", "perceptrons", "--within", "latency_ms@bord <= 3"], "no latency table of device 'bord' is known"),
        (["best", "perceptrons", "--within", "weight <= 3"], "no trial has 'weight': they have accuracy, latency_ms@b"),
        (["best", "perceptrons", "--within", "nonsense"], "constraint 'nonsense' is not understood"),
        (["best", "perceptrons", "--device", "phone"], "--device goes with --knee"),
        (["best", "perceptrons", "--knee", "--metric", "accuracy"], "--metric and --knee exclude each other"),
        (["pareto", "perceptrons", "--device", "board", "--metric", "accuracy"], "exclude each other"),
        (["pareto", "perceptrons", "--metric", "speed"], "'speed' is no objective of 'perceptrons': say its direction"),
        (["pareto", "perceptrons", "--metric", "speed=up"], "direction 'up' of objective 'speed' is unknown"),
        (["pareto", "perceptrons", "--metric", "latency_ms@x"], "no trial of 'perceptrons' has 'latency_ms@x'"),
        (["recost", "perceptrons", "--device", "bord"], "did you mean 'board'?"),
        (["recost", "nobody", "--device", "phone"], "there is no study 'nobody'"),
        (["recost", "perceptrons"], "Missing option '--device'"),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else None,
)
def test_bad_input_is_told_in_one_line(launched: dict[str, Any], arguments: list[str], words: str) -> None:
    assert words in error_of(*arguments)


def test_a_table_of_another_space_is_refused(folder: Path) -> None:
    with open_storage("sqlite:///search.db") as storage:
        store(storage, device_table("phone", ops=()))
        store(storage, device_table("toy", ops=()))
    assert run("launch", "perceptrons.py").exit_code == 0  # phone's newest is of another space, the one before is not
    told = error_of("pareto", "perceptrons", "--device", "toy")
    assert "no latency table of device 'toy' is of this space: the latency table of toy has no entry for" in told
    assert re.search(r"; it lacks (\d+) of the space's \1 operators$", told)


def test_trials_from_before_a_device_was_listed_are_on_its_front(folder: Path) -> None:
    document("launch", "perceptrons.py", "--set", "devices=['phone']", "--max-trials", "8")
    launched = document("launch", "perceptrons.py")
    assert numbers(launched["fronts"]["board"]) == front("board")
    assert np.isnan(trials()["latency_ms@board"]).tolist() == [True] * 8 + [False] * 6


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ("{'phone': 'watch'}", "latency_ms@phone comes from a table of device phone, not watch"),
        ("{'phone': {'device': 'phone', 'batch': 8}}", "latency_ms@phone comes from a table of batch 1, not 8"),
    ],
)
def test_a_name_stays_that_of_its_device(launched: dict[str, Any], devices: str, words: str) -> None:
    assert words in error_of("launch", "perceptrons.py", "--set", f"devices={devices}")


def test_a_device_under_another_name_stays_known_without_the_study_files_list(folder: Path) -> None:
    objectives = "objectives={'accuracy': 'maximize', 'latency_ms@a': 'minimize'}"
    sets = ["--set", objectives, "--set"]
    document("launch", "perceptrons.py", "--max-trials", "8", *sets, "devices={'a': 'watch'}")
    document("launch", "perceptrons.py", *sets, "devices=[]")
    assert trials()["latency_ms@a"].tolist() == latencies("watch").tolist()


def test_a_model_in_the_study_file_costs_trials_from_before_it(folder: Path) -> None:
    document("launch", "perceptrons.py", "--max-trials", "8")
    model = "class Chip:\n    metrics = ('latency_ms', 'energy_mj')\n    def __call__(self, ops):\n"
    model += "        return {'latency_ms': 1.0 * len(ops), 'energy_mj': 2.0}\ndevices = {'chip': Chip()}\n"
    write_study(folder, SOURCE + model)
    launched = document("launch", "perceptrons.py")
    assert launched["settings"]["devices"]["chip"]["model"] == "Chip"
    assert launched["fronts"].keys() == {"phone", "board", "chip"}
    assert all(record["metrics"]["latency_ms@chip"] >= 2 for record in launched["fronts"]["chip"])


def test_a_study_without_a_completed_trial_has_no_fronts(folder: Path) -> None:
    result = run("launch", "perceptrons.py", "--set", "constraints=['accuracy >= 99']")
    assert (result.exit_code, "no trial has completed within the constraints yet" in result.stdout) == (0, True)
    found = run("pareto", "perceptrons", "--plot", "none.png")
    assert found.stdout == "no trial has completed within the constraints yet\npicture: none.png\n"


def test_a_device_without_a_latency_is_told(folder: Path) -> None:
    model = "class Chip:\n    metrics = ('energy_mj',)\n    def __call__(self, ops):\n"
    write_study(folder, SOURCE + model + "        return {'energy_mj': 2.0}\ndevices = {'chip': Chip()}\n")
    launched = document("launch", "perceptrons.py", "--set", "report=latency_ms@phone")
    assert {record["metrics"]["energy_mj@chip"] for record in launched["front"]} == {2.0}
    told = error_of("pareto", "perceptrons", "--device", "chip")
    assert "device 'chip' is costed by energy_mj@chip: expected latency_ms@chip, too" in told


def test_a_device_that_objectives_name_need_not_be_listed(folder: Path) -> None:
    document("launch", "perceptrons.py", "--set", "devices=[]", "--set", "report=['latency_ms@watch']")
    assert trials()["latency_ms@watch"].tolist() == latencies("watch").tolist()
    assert "latency_ms@phone" in trials()


def test_device_alone_gives_plain_latency(folder: Path) -> None:
    objectives = "objectives={'accuracy': 'maximize', 'latency_ms': 'minimize'}"
    document("launch", "perceptrons.py", "--set", "device=board", "--set", "devices=[]", "--set", objectives)
    assert trials()["latency_ms"].tolist() == latencies("board").tolist()
    assert numbers(document("pareto", "perceptrons", "--device", "board")["front"]) == front("board")
    assert document("show", "perceptrons")["settings"]["latency_table"]["device"] == "board"


def test_a_table_given_in_the_study_file_is_stored(folder: Path) -> None:
    given = SOURCE + "from several_devices import device_table\ndevices = {'phone': device_table('phone', 3.0)}\n"
    write_study(folder, given)
    kept = document("launch", "perceptrons.py")["settings"]["devices"]["phone"]
    assert trials()["latency_ms@phone"].tolist() == pytest.approx((3 * latencies("phone")).tolist())
    with open_storage("sqlite:///search.db") as storage:
        assert kept["sha256"] in {table.sha256 for table in storage.latency_tables(device="phone")}


def test_two_ways_of_running_this_machine_are_measured_as_two_devices(folder: Path) -> None:
    devices = "devices={'one': 'this', 'four': {'device': 'this', 'batch': 4}}"
    objectives = "objectives={'accuracy': 'maximize', 'latency_ms@one': 'minimize'}"
    sets = ["--set", devices, "--set", objectives]
    kept = document("launch", "perceptrons.py", *sets)["settings"]["devices"]
    assert [kept[name]["batch"] for name in ("one", "four")] == [1, 4]
    assert kept["one"]["device"] == kept["four"]["device"] == this_device().id
    assert (trials()["latency_ms@one"] > 0).all() and (trials()["latency_ms@four"] > 0).all()
    again = document("launch", "perceptrons.py", "--name", "again", *sets)["settings"]["devices"]
    assert again == kept  # fresh stored tables are used again


def test_a_table_that_errs_more_than_noise_explains_is_warned_of(folder: Path) -> None:
    poor = Calibration(anchors=18, validation=ValidationReport(18, 0.2, 0.3, 0.1, 0.9, 0.9, 0.5, 0.6, 0.02))
    with open_storage("sqlite:///search.db") as storage:
        store(storage, device_table("phone", calibration=poor))
    result = run("launch", "perceptrons.py")
    assert "warning: phone: its mean error on 18 networks is 20.0%" in result.stderr


def test_an_exported_trial_says_which_tables_its_latencies_are_of(launched: dict[str, Any]) -> None:
    run("export", "perceptrons", "--trial", "2", "--to", "out")
    card = Path("out/README.md").read_text()
    digest = launched["settings"]["devices"]["board"]["sha256"]
    assert f"predicted by the latency table {digest[:12]} of The board with lite 2.13.0" in card


def test_fronts_from_python(launched: dict[str, Any]) -> None:
    with open_storage("sqlite:///search.db") as storage:
        study = Study.open(storage, "perceptrons")
        assert set(study.front(["accuracy", "latency_ms@board"]).numbers.tolist()) == front("board")
        assert (
            study.front().numbers.tolist()
            == study.front({"accuracy": "max", "latency_ms@phone": "min"}).numbers.tolist()
        )
        with pytest.raises(ValueError, match="'speed' is no objective of 'perceptrons': say its direction"):
            study.front(["speed"])


def test_a_shipped_device_needs_no_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cells.py").write_text(CELLS)
    result = run("launch", "cells.py", "--launcher", "serial", "--json")
    assert result.exit_code == 0, result.stderr
    assert "pixel3: latency table of pixel3: stored, of 2021" in result.stderr
    assert len(json.loads(result.stdout)["front"]) >= 1


CELLS = """
from spaces.nasbench201 import nasbench201

space = nasbench201()
evaluator = lambda task: {"size": float(task.genotype.sum())}
objectives = {"size": "maximize", "latency_ms@pixel3": "minimize"}
devices = ["pixel3"]
max_trials = 12
"""
