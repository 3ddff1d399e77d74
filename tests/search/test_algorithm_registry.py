"""Algorithms are found by the names of their modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
import pyglove as pg
import pytest

from search.algorithms.random import Random
from search.algorithms.registry import algorithm_class, algorithm_names, algorithm_of, make_algorithm
from search.algorithms.regularized_evolution import RegularizedEvolution


def test_every_algorithm_is_found_by_its_modules_name() -> None:
    assert {"exhaustive", "random", "regularized_evolution"} <= set(algorithm_names())
    assert "registry" not in algorithm_names()
    assert all(algorithm_class(name).name == name for name in algorithm_names())


def test_an_algorithm_is_made_with_its_settings() -> None:
    assert make_algorithm("random") == Random()
    assert make_algorithm("regularized_evolution", population=9, tournament=3) == RegularizedEvolution(9, 3)


def test_an_unknown_algorithm_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"unknown algorithm 'randm'; did you mean 'random'\? there are auto, "):
        make_algorithm("randm")


@pytest.mark.parametrize("name", ["_base", "registry", "os.path", "", "../random"])
def test_what_is_no_algorithm_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown algorithm"):
        make_algorithm(name)


def test_an_unknown_setting_is_refused_with_those_there_are() -> None:
    expected = "regularized_evolution has no setting 'size'; its settings: population, tournament"
    with pytest.raises(ValueError, match=expected):
        make_algorithm("regularized_evolution", size=3)


@pytest.mark.parametrize(
    ("name", "setting", "value", "expected"),
    [
        ("nsga2", "population", "x", r"nsga2: population is 'x': expected a whole number"),
        ("nsga2", "population", 2.5, "expected a whole number"),
        ("nsga2", "offspring", True, "offspring is True: expected a whole number"),
        ("ppo", "learning_rate", float("nan"), "learning_rate is nan: expected a finite number"),
        ("ppo", "target", ["a"], "expected a finite number or a list or None"),
        ("local_search", "first_improvement", "no", "expected True or False"),
        ("factorized", "outer", 3, "expected a text or a list"),
        ("optuna", "options", None, "expected a mapping"),
    ],
)
def test_a_setting_of_another_type_is_refused(name: str, setting: str, value: object, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        make_algorithm(name, **{setting: value})


def test_what_fits_a_settings_type_is_taken() -> None:
    assert make_algorithm("ppo", learning_rate=1, target=[1, 2.5]).settings["target"] == [1, 2.5]


@dataclass
class Own(Random):
    pair: tuple[int, str] = (1, "a")
    sizes: Sequence[int] = ()
    none: tuple[()] = ()


def test_each_item_of_a_tuple_has_a_type_of_its_own() -> None:
    assert Own((2, "b"), [3, 4]).pair == (2, "b")
    with pytest.raises(ValueError, match=r"pair is \(2, 3\): expected a list"):
        Own((2, 3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (pg.geno.Random(), r"wrap it: from search.algorithms.pyglove import PyGlove, then PyGlove\(...\)$"),
        (optuna.samplers.RandomSampler(), r"wrap it: from search.algorithms.optuna import Optuna, then Optuna\(...\)$"),
        (3, r"got 3$"),
    ],
)
def test_other_peoples_generators_are_told_how_they_are_used(theirs: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        algorithm_of(theirs)
