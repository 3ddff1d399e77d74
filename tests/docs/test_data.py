"""The page on data sets: its study runs on files of the layout it describes, and it leaves out no data set."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest
from drivers import ENVIRONMENT, ROOT
from idx_files import write_mnist

import evaluators.augmentation
import evaluators.datasets

PAGE = (ROOT / "docs/data.md").read_text()
[STUDY] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def called(module: object) -> list[str]:
    """Return the names of a module's dataclasses that are called, and are neither a part of one nor made from one."""
    inner = ("Normalisation", "HandedOver")
    kinds = {name: kind for name, kind in vars(module).items() if isinstance(kind, type) and is_dataclass(kind)}
    return sorted(
        name for name, kind in kinds.items() if "__call__" in vars(kind) | vars(kind.__base__) and name not in inner
    )


def launch(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "mnist_study.py").write_text(text)
    command = [sys.executable, "-m", "search", "launch", "mnist_study.py", "--set", "epochs=1", "--max-trials", "1"]
    return subprocess.run(
        [*command, *options], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("module", [evaluators.datasets, evaluators.augmentation])
def test_every_data_set_and_augmentation_has_its_line(module: object) -> None:
    assert len(called(module)) >= 4
    assert [name for name in called(module) if f"| `{name}(" not in PAGE] == []


def test_the_study_trains_on_files_at_a_path(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    small = STUDY.replace("limit=10_000", "val=20")  # the files written here hold 60 images
    assert small != STUDY
    path = write_mnist(tmp_path / "elsewhere")
    done = launch(tmp_path, small, "--set", f"data={path}", "--launcher", "serial", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["COMPLETED"] == 1


def test_a_missing_folder_is_one_line_before_any_trial(tmp_path: Path) -> None:
    done = launch(tmp_path, STUDY, "--set", "data=nowhere")
    assert done.returncode == 2
    assert "no train-images-idx3-ubyte (or .gz) in nowhere; MNIST's four IDX files belong there" in done.stderr
    assert "Traceback" not in done.stderr
