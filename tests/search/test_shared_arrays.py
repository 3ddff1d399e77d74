"""Arrays that all workers hold alike: loaded once, by the driver, and mapped into each worker without a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.algorithms.exhaustive import Exhaustive
from search.cli.runs import KeepingRecipe
from search.launchers._base import Launcher, shared_arrays
from search.launchers.ray import RayLauncher
from search.launchers.serial import SerialLauncher
from search.objectives import parse_objectives
from search.storage import Storage, open_storage
from search.study import Study
from search.study_file import StudyRecipe
from search.study_source import StudySource

LARGE = """
import os, time
import numpy as np
import pyglove as pg

space = pg.Dict(a=pg.oneof(list(range(6))))
objectives = {"x": "maximize"}

def private_mb():
    lines = [line.split() for line in open("/proc/self/smaps_rollup") if line.startswith("Private_")]
    return sum(int(words[1]) for words in lines) / 1000

def in_plasma(address):
    for line in open("/proc/self/maps"):
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if start <= address < end:
            return float("/dev/shm/plasma" in line)

class Large:
    def __init__(self, numbers=None):
        self.numbers = numbers

    def shared(self):
        with open("FOLDER/loaded", "a") as file:
            file.write(f"{os.getpid()}\\n")
        return {"numbers": np.arange(20_000_000, dtype=np.float64)}

    def with_shared(self, arrays):
        return Large(arrays["numbers"])

    def __call__(self, task):
        time.sleep(0.5)
        before = private_mb()
        total = float(self.numbers.sum())
        yield {"x": total, "private_mb": private_mb() - before, "pid": os.getpid(),
               "plasma": in_plasma(self.numbers.ctypes.data), "writeable": self.numbers.flags.writeable}

evaluator = Large()
"""

DIGITS = """
import pyglove as pg
from torch import nn
from evaluators.train import Train

@pg.symbolize
class Perceptron(nn.Sequential):
    def __init__(self, width):
        super().__init__(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))

space = Perceptron(width=pg.oneof([8, 12, 16, 24]))
evaluator = Train(dataset="digits", epochs=1)
objectives = {"accuracy": "maximize"}
"""


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with open_storage(f"sqlite:///{tmp_path}/search.db") as storage:
        yield storage


def run(storage: Storage, launcher: Launcher, folder: Path, text: str, goal: str) -> dict[str, list[float]]:
    """Run a study of this text and return its trials' metrics."""
    recipe = KeepingRecipe(StudyRecipe(StudySource(str(folder / "shared.py"), text)), str(folder / launcher.name))
    aims = parse_objectives({goal: "maximize"})
    study = Study.create_or_resume(storage, launcher.name, recipe()[0], Exhaustive(), aims, max_trials=6)
    launcher.run(study, recipe, lambda: None)
    metrics = {name: values.tolist() for name, values in study.trials().metrics.items()}
    study.close()
    return metrics


@pytest.mark.ray
def test_two_workers_map_what_the_driver_loaded_once(storage: Storage, tmp_path: Path) -> None:
    text = LARGE.replace("FOLDER", str(tmp_path))
    metrics = run(storage, RayLauncher(workers=2), tmp_path, text, "x")
    assert metrics["x"] == [sum(range(20_000_000))] * 6
    assert len(set(metrics["pid"])) == 2
    assert (set(metrics["plasma"]), set(metrics["writeable"])) == ({1.0}, {0.0})
    assert max(metrics["private_mb"]) < 16  # the array has 160 MB
    assert len((tmp_path / "loaded").read_text().split()) == 1


@pytest.mark.ray
def test_a_study_with_shared_data_is_the_one_without(storage: Storage, tmp_path: Path) -> None:
    serial = run(storage, SerialLauncher(), tmp_path, DIGITS, "accuracy")
    assert serial == run(storage, RayLauncher(workers=2), tmp_path, DIGITS, "accuracy")
    assert len(set(serial["accuracy"])) > 1


def test_a_recipe_that_shares_nothing_is_not_called() -> None:
    assert shared_arrays(lambda: 1 / 0) == {}


def test_an_evaluator_that_shares_nothing_gives_no_arrays(tmp_path: Path) -> None:
    text = DIGITS.replace("epochs=1", "epochs=1, share=False")
    recipe = StudyRecipe(StudySource(str(tmp_path / "unshared.py"), text))
    assert shared_arrays(recipe) == {}
    assert shared_arrays(KeepingRecipe(recipe, str(tmp_path))) == {}
