"""The search flows of the PyGlove paper (Peng et al., NeurIPS 2020), kept in SQL: joint, separate, factorized."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyglove as pg
import pytest
from drivers import ENVIRONMENT, rows

import search.backend  # noqa: F401 - makes the backend known
from search.algorithms.factorized import Factorized
from search.algorithms.separate import Separate

PROGRAM = Path(__file__).with_name("flows_program.py")
REWARDS = {(x, y): float(-((x - 2) ** 2) - (y - x) ** 2) for x in (1, 2, 3) for y in (1, 2, 3)}


def space() -> Any:
    """Return a program of two parts, each a choice of three, as hints tell."""
    return pg.Dict(x=pg.oneof([1, 2, 3], hints="outer"), y=pg.oneof([1, 2, 3], hints="inner"))


def part(hint: str) -> Any:
    """Return what picks the decisions of one part."""
    return lambda decision: decision.hints == hint


def loop(value: Any, url: str, name: str, **options: Any) -> Any:
    """Sample a space in order."""
    return pg.sample(value, pg.geno.Sweeping(), name=name, backend="sql", storage=url, **options)


def best(url: str, name: str) -> tuple[float, int]:
    """Return the best reward of a stored loop, and how many trials it took."""
    result = pg.poll_result(name, backend="sql", storage=url)
    return result.best_trial.final_measurement.reward, len(result.trials)


def test_joint_is_one_loop_over_both_parts(url: str) -> None:
    for example, feedback in loop(space(), url, "joint"):
        feedback(REWARDS[example.x, example.y])
    assert best(url, "joint") == (0.0, 9)


def test_separate_fixes_the_best_of_one_part_and_searches_the_other(url: str) -> None:
    for example, feedback in loop(space(), url, "first", where=part("outer")):
        feedback(REWARDS[example.x, 1])
    fixed = pg.poll_result("first", backend="sql", storage=url).best_trial.dna.value + 1
    for example, feedback in loop(space().rebind(x=fixed), url, "second"):
        feedback(REWARDS[example.x, example.y])
    assert (fixed, best(url, "first")[1], best(url, "second")) == (1, 3, (-1.0, 3))


def test_factorized_searches_one_part_for_each_choice_of_the_other(url: str) -> None:
    for outer, feedback in loop(space(), url, "outer", where=part("outer")):
        inner = f"inner-{feedback.id}"
        for example, reward in loop(outer, url, inner):
            reward(REWARDS[example.x, example.y])
        feedback(best(url, inner)[0])
    assert best(url, "outer") == (0.0, 3)
    assert [best(url, f"inner-{number}") for number in (1, 2, 3)] == [(-1.0, 3), (0.0, 3), (-1.0, 3)]


def test_a_factorized_search_that_was_broken_off_goes_on_inside(url: str) -> None:
    tried = []

    def search_all(limit: int) -> None:
        for outer, feedback in loop(space(), url, "outer", where=part("outer")):
            for example, reward in loop(outer, url, f"inner-{feedback.id}"):
                if len(tried) == limit:
                    return
                tried.append((example.x, example.y))
                reward(REWARDS[example.x, example.y])
            feedback(best(url, f"inner-{feedback.id}")[0])

    search_all(4)
    search_all(9)
    search_all(10)
    assert tried == sorted(REWARDS)
    assert best(url, "outer") == (0.0, 3)


@pytest.mark.parametrize(
    ("flow", "tried"),
    [
        (Factorized(("x",), 2, "exhaustive"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]),
        (Separate(("x",), 3, "exhaustive", {"y": 3}), [(1, 3), (2, 3), (3, 3), (2, 1), (2, 2)]),
    ],
)
def test_a_flow_is_an_algorithm_of_one_loop(url: str, flow: Any, tried: list[tuple[int, int]]) -> None:
    def some(limit: int) -> list[tuple[int, int]]:
        found = []
        for example, feedback in pg.sample(space(), flow, limit, name="flow", backend="sql", storage=url):
            found.append((example.x, example.y))
            feedback(REWARDS[found[-1]])
        return found

    assert some(3) + some(len(tried)) == tried


def program(folder: Path, flow: str, die_at: int = 0) -> list[str]:
    """Run a flow of the program in a process of its own; return the recipes that it evaluated."""
    environment = ENVIRONMENT | {"SEARCH_STORAGE": f"sqlite:///{folder}/search.db"}
    command = [sys.executable, str(PROGRAM), flow, str(die_at)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == (9 if die_at else 0), done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("flow", ["joint", "separate", "factorized"])
def test_an_ordinary_program_that_dies_goes_on_as_if_it_had_not(tmp_path: Path, flow: str) -> None:
    for folder in ("whole", "broken"):
        (tmp_path / folder).mkdir()
    whole = program(tmp_path / "whole", flow)
    broken = [program(tmp_path / "broken", flow, die_at) for die_at in (8, 8, 0)]
    assert [len(part) for part in broken] == [7, 7, 10]
    assert [recipe for part in broken for recipe in part] == whole
    assert every_trial(tmp_path / "broken") == every_trial(tmp_path / "whole")


def every_trial(folder: Path) -> list[tuple[object, ...]]:
    """Return all trials of all loops, with their rewards."""
    return rows(
        f"sqlite:///{folder}/search.db",
        "SELECT s.name, t.number, t.genotype, t.state, m.value FROM studies s JOIN trials t ON t.study_id = s.id "
        "LEFT JOIN metrics m ON m.study_id = s.id AND m.number = t.number ORDER BY s.name, t.number",
    )
