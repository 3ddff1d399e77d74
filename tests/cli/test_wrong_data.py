"""Data that cannot be trained on: bad input, found before anything is measured or trained, with nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from drivers import rows
from PIL import Image

from search.cli.application import application

STUDY = '''"""One of two small networks, trained on pictures."""
import pyglove as pg
from torch import nn

from evaluators.datasets import ImageFolder
from evaluators.train import Train


class Net(pg.Object):
    channels: int

    def build(self):
        pool = nn.AdaptiveAvgPool2d(1)
        return nn.Sequential(nn.Conv2d(3, self.channels, 3), pool, nn.Flatten(), nn.Linear(self.channels, 2))


data = "pictures"
space = Net(channels=pg.oneof([2, 3]))
evaluator = Train(ImageFolder(data, side=8), epochs=1)
objectives = {"accuracy": "maximize"}
algorithm = "random"
launcher = "serial"
max_trials = 1
'''


def launch(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(application, ["launch", *arguments, "--storage", "sqlite:///search.db"])
    assert "Traceback" not in result.output
    return result.exit_code, result.stderr.splitlines()[-1]


def pictures(folder: Path, classes: int, each: int) -> None:
    for label in range(classes):
        (folder / f"class{label}").mkdir(parents=True)
        for number in range(each):
            pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"class{label}" / f"{number}.png")


def broken(folder: Path) -> None:
    pictures(folder, 10, 12)
    (folder / "class3" / "5.png").write_bytes(b"no picture")


def locked(folder: Path) -> None:
    pictures(folder, 2, 2)
    folder.chmod(0)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "no such folder: "),
    "a file": (lambda folder: folder.write_text("pictures"), "cannot be read as a tar archive, is it truncated?"),
    "empty": (Path.mkdir, "expected at least two folders of pictures, one a class; got []"),
    "small": (lambda folder: pictures(folder, 2, 1), "2 pictures are too few for shares of (0.8, 0.1, 0.1)"),
    "broken": (broken, "5.png"),
    "more classes": (lambda folder: pictures(folder, 11, 12), "tell 10 classes apart, and the images have 11"),
    "unreadable": (locked, "Permission denied"),
}


@pytest.mark.parametrize("study", ["fbnet", "proxylessnas", "elasticvit", "once_for_all --set train=true"])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_data_is_refused_before_a_table_is_measured(
    name: str, study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "unreadable" and os.geteuid() == 0:
        pytest.skip("root may read any folder")
    make, words = WRONG[name]
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "data")
    code, line = launch(*study.split(), "--set", f"data={tmp_path / 'data'}")
    assert (code, line[:7], words in line) == (2, "error: ", True), line
    for table in ("studies", "trials", "preparations", "latency_tables"):
        assert rows("sqlite:///search.db", f"SELECT count(*) FROM {table}") == [(0,)]
    assert not (tmp_path / "runs").exists()


def test_missing_data_is_refused_before_tokens_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, line = launch("diffrate", "--set", "data=gone")
    assert (code, "gone" in line) == (2, True), line
    assert rows("sqlite:///search.db", "SELECT count(*) FROM preparations") == [(0,)]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("teacher=gone", "wrote in gone: expected candidate.json there"),
        ("recipe=best", "recipe must be plain or paper, got 'best'"),
        ("search=paper --set limit_macs=1", "limit_macs must be from 7.91e+05 to 8.49e+06, got 1: "),
    ],
)
def test_a_training_that_cannot_begin_is_refused(
    setting: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, line = launch("elasticvit", "--set", *setting.split())
    assert (code, words in line) == (2, True), line
    assert not (tmp_path / "runs").exists()


def test_too_few_images_for_the_logits_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for part in ("train", "val", "test"):
        pictures(tmp_path / "data" / part, 2, 1)
    code, line = launch("fbnet", "--set", f"data={tmp_path / 'data'}")
    assert (code, "training images cannot be split" in line) == (2, True), line


def test_a_study_loses_nothing_when_its_data_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.py").write_text(STUDY)
    pictures(tmp_path / "pictures", 2, 20)
    assert launch("study.py")[0] == 0
    code, line = launch("study.py", "--max-trials", "2", "--set", "data=gone")
    assert (code, line.startswith("error: no such folder: gone")) == (2, True), line
    assert rows("sqlite:///search.db", "SELECT number, state FROM trials") == [(0, "COMPLETED")]
    assert launch("study.py", "--set", "data=gone")[0] == 0  # nothing is left to train


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "(self.channels, 2))",
            "(self.channels, 1))",
            "the space's networks tell 1 classes apart, and the images have 2",
        ),
        ("Conv2d(3,", "Conv2d(1,", "the space's networks cannot take images of (3, 8, 8): Given groups=1"),
        (
            "return nn.Seq",
            "return nn.Bilinear(2, 2, 2); nn.Seq",
            "cannot take images of (3, 8, 8): TypeError: Bilinear.forward() missing 1",
        ),
        ("channels: int", "channels: int; input_shape = (3, 16, 16)", "are costed for inputs of (3, 16, 16), and the"),
        ("return nn.Seq", "raise RuntimeError('out of luck'); nn.Seq", "cannot be built: RuntimeError: out of luck"),
    ],
)
def test_networks_that_do_not_fit_the_images_are_refused(
    before: str, after: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.py").write_text(STUDY.replace(before, after))
    pictures(tmp_path / "pictures", 2, 20)
    code, line = launch("study.py")
    assert (code, words in line) == (2, True), line
    assert rows("sqlite:///search.db", "SELECT count(*) FROM studies") == [(0,)]
