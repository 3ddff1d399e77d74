"""Every algorithm in a study of its own: it ends with the space, and refuses what it cannot search before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from algorithm_problems import SPACES
from launched_study import LaunchedStudy

from search.algorithms.registry import algorithm_class, algorithm_names, make_algorithm
from search.launchers.serial import SerialLauncher
from search.objectives import parse_objectives
from search.storage import open_storage
from search.study import Study
from spaces.genotype import GenotypeSpace

ALGORITHMS = algorithm_names()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_study_ends_when_its_space_is_exhausted(name: str, tmp_path: Path) -> None:
    launched = LaunchedStudy(tmp_path, "yield {'x': number % 7}", max_trials=101, algorithm=make_algorithm(name))
    try:
        assert launched.run(SerialLauncher()) == "space exhausted"
        assert launched.states() == ["COMPLETED"] * 100
    finally:
        launched.close()


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if algorithm_class(name).supports.objectives is not None])
def test_too_many_objectives_are_refused_before_the_first_trial(name: str, tmp_path: Path) -> None:
    most = algorithm_class(name).supports.objectives or 0
    objectives = parse_objectives({f"metric{i}": "maximize" for i in range(most + 1)})
    refused(name, "flat", objectives, tmp_path, f"objective.*{most + 1}.*use ")


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if not algorithm_class(name).supports.floats])
def test_open_floats_are_refused_before_the_first_trial(name: str, tmp_path: Path) -> None:
    refused(name, "mixed", parse_objectives({"x": "maximize"}), tmp_path, "open floats; use ")


def refused(name: str, space: str, objectives: object, folder: Path, words: str) -> None:
    """Hold that a study is refused in these words, and that no trial of it is stored."""
    with open_storage(f"sqlite:///{folder}/search.db") as storage:
        with pytest.raises(ValueError, match=words):
            Study.create_or_resume(
                storage, "s", GenotypeSpace(SPACES[space]()), make_algorithm(name), objectives, max_trials=9
            )  # fmt: skip
        assert len(Study.open(storage, "s").trials().states) == 0
