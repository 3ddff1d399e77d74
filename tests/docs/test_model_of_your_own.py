"""The page on spaces: the ordinary model that it makes searchable is searched, in few lines, whichever the space."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from drivers import ENVIRONMENT, ROOT

from evaluators._base import Task
from search.study_file import load_study_file

SECTION = (ROOT / "docs/spaces.md").read_text().partition("## A model of your own")[2].partition("\n## ")[0]
MODEL, SEARCH = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
SPACES = re.findall(r"^\| `([A-Z].*?)` \|", SECTION, re.MULTILINE)


def write(folder: Path, *, space: str = "", epochs: int = 3) -> str:
    text = MODEL + SEARCH.replace("epochs=3", f"epochs={epochs}")
    (folder / "my_model.py").write_text(f"{text}space = {space}\n" if space else text)
    return str(folder / "my_model.py")


def test_it_takes_fewer_than_15_lines() -> None:
    assert len([line for line in SEARCH.splitlines() if line and not line.startswith("#")]) < 15


@pytest.mark.slow
def test_the_study_is_launched_with_another_algorithm(tmp_path: Path) -> None:
    path = write(tmp_path, epochs=2)
    settings = ["--set", "algorithm=random", "--max-trials", "4", "--launcher", "serial", "--json"]
    command = [sys.executable, "-m", "search", "launch", path, *settings]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["counts"]["COMPLETED"] == 4
    assert all(trial["metrics"]["accuracy"] > 60 for trial in printed["front"])


@pytest.mark.parametrize(("space", "size"), [("", 81), (SPACES[0], 3), (SPACES[1], 27), (SPACES[2], 9 + 81 + 6561)])
def test_each_space_holds_networks_that_train(tmp_path: Path, space: str, size: int) -> None:
    study = load_study_file(write(tmp_path, space=space, epochs=1))
    assert study.space.size == size
    genotype = study.space.sample(1, np.random.default_rng(0))[0]
    assert next(iter(study.evaluator(Task(study.space, genotype))))["accuracy"] > 40


def test_the_model_is_what_it_was(tmp_path: Path) -> None:
    made = load_study_file(write(tmp_path)).space.decode(np.zeros(4, np.uint8))
    assert [name for name, _ in made.named_parameters()][:4] == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    assert made(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
