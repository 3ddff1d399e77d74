"""Every algorithm in a study of its own: it ends with the space, and refuses what it cannot search before it begins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from algorithm_problems import SPACES
from launched_study import LaunchedStudy

from search.algorithms.registry import algorithm_class, algorithm_names, make_algorithm
from search.launchers.serial import SerialLauncher
from search.objectives import parse_objectives
from search.schema import progress, studies
from search.storage import Storage, open_storage
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
    assert re.search(f"objective.*{most + 1}.*use ", refusal(name, "flat", objectives, tmp_path))


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if not algorithm_class(name).supports.floats])
def test_open_floats_are_refused_before_the_first_trial(name: str, tmp_path: Path) -> None:
    assert "open floats; use " in refusal(name, "mixed", parse_objectives({"x": "maximize"}), tmp_path)


def refusal(name: str, space: str, objectives: Any, folder: Path) -> str:
    """Return why a study is refused, after holding that nothing of it is stored."""
    with open_storage(f"sqlite:///{folder}/search.db") as storage:
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is returned
            Study.create_or_resume(
                storage, "s", GenotypeSpace(SPACES[space]()), make_algorithm(name), objectives, max_trials=9
            )  # fmt: skip
        assert storage.studies() == []
    return str(caught.value)


def test_an_algorithm_that_refuses_leaves_a_stored_study_as_it_was(tmp_path: Path) -> None:
    space, objectives = GenotypeSpace(SPACES["mixed"]()), parse_objectives({"x": "maximize"})
    with open_storage(f"sqlite:///{tmp_path}/search.db") as storage:
        with Study.create_or_resume(
            storage, "s", space, make_algorithm("predictor"), objectives, max_trials=9
        ) as study:
            study.tell(study.ask(1)[0], {"x": 1.0})
        before = stored_state(storage)
        with pytest.raises(ValueError, match="open floats; use "):
            Study.create_or_resume(storage, "s", space, make_algorithm("exhaustive"), objectives, max_trials=9)
        assert stored_state(storage) == before


def stored_state(storage: Storage) -> tuple[str, str]:
    """Return the only study's algorithm and its state, as they stand in the database."""
    query = sa.select(studies.c.algorithm, progress.c.algorithm_state).join(progress)
    with storage.database.read() as connection:
        algorithm, state = connection.execute(query).one()
    return algorithm["name"], state
