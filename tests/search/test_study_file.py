"""Study files: what they may say, `--set`, and one line for each thing that can be wrong with them."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from search.algorithms.random import Random
from search.algorithms.regularized_evolution import RegularizedEvolution
from search.objectives import Constraint, Objective
from search.study_file import StudyDefinition, StudyFileError, StudyRecipe, load_study_file, shipped_studies

TINY = '''"""Tiny: three by two.

More of it.
"""

import pyglove as pg


class Pair(pg.Object):
    first: int
    second: int


width = 2
fast = False
space = Pair(first=pg.oneof([1, 2, 3]), second=pg.oneof(list(range(width))))


def evaluator(task):
    yield {"total": float(task.candidate.first + task.candidate.second)}


objectives = {"total": "maximize"}
algorithm = "random"
max_trials = 10
'''


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str = TINY, more: str = "") -> str:
        path = tmp_path / "tiny.py"
        path.write_text(text + more)
        return str(path)

    return write


def load(path: str, **overrides: str) -> StudyDefinition:
    return load_study_file(path, overrides)


def test_a_file_of_assignments_is_a_definition(write) -> None:
    study = load(write(more='constraints = ["total <= 4"]\nworkers = 3\n'))
    assert (study.name, study.description) == ("tiny", "Tiny: three by two.")
    assert study.space.size == 6
    assert study.algorithm == Random()
    assert study.objectives == (Objective("total", "maximize"),)
    assert study.constraints == (Constraint("total", "<=", 4.0),)
    assert (study.max_trials, study.workers, study.seed, study.launcher) == (10, 3, 0, "ray")


def test_an_algorithm_may_be_an_instance(write) -> None:
    more = "from search.algorithms.regularized_evolution import RegularizedEvolution\n"
    more += "algorithm = RegularizedEvolution(population=7, tournament=2)\n"
    assert load(write(more=more)).algorithm == RegularizedEvolution(7, 2)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_trials", "25", 25),
        ("seed", "3", 3),
        ("timeout_s", "2.5", 2.5),
        ("timeout_s", "None", None),
        ("launcher", "serial", "serial"),
        (
            "algorithm",
            "{'name': 'regularized_evolution', 'population': 9, 'tournament': 3}",
            RegularizedEvolution(9, 3),
        ),
        ("constraints", "total <= 4", (Constraint("total", "<=", 4.0),)),
    ],
)
def test_set_replaces_a_setting(write, name: str, text: str, value: object) -> None:
    assert getattr(load(write(), **{name: text}), name) == value


def test_set_reaches_the_files_own_variables(write) -> None:
    assert load(write(), width="5").space.size == 15


def test_set_of_a_truth_value_reads_words(write) -> None:
    assert load(write(more="seed = 1 if fast else 0\n"), fast="true").seed == 1
    assert load(write(more="seed = 1 if fast else 0\n"), fast="false").seed == 0


def test_set_keeps_a_string_a_string(write) -> None:
    assert load(write(more='dataset = "cifar10"\ndevice = dataset\n'), dataset="10").device == "10"


def test_set_replaces_a_setting_that_is_no_literal(write) -> None:
    assert load(write(more="workers = 1 + 1\n"), workers="4").workers == 4


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"widht": "3"}, r"tiny.py: --set widht=3: nothing of that name can be set; did you mean 'width'\? these can"),
        ({"width": "wide"}, r"tiny.py:14: --set width=wide: expected a number, like 2 in the file$"),
        ({"width": "1e999"}, r"tiny.py:14: --set width=1e999: expected a number, like 2 in the file$"),
        ({"fast": "3"}, r"tiny.py:15: --set fast=3: expected True or False, like False in the file$"),
        ({"space": "3"}, r"--set space=3: nothing of that name can be set"),
        ({"max_trials": "0"}, r"tiny.py: --set max_trials=0: expected a whole number of at least 1; got 0$"),
        ({"workers": "-1"}, r"--set workers=-1: expected a whole number of at least 1; got -1$"),
        ({"cpus_per_worker": "0"}, r"expected a number above 0; got 0$"),
        ({"timeout_s": "inf"}, r"expected a number above 0; got 'inf'$"),
        ({"launcher": "slurm"}, r"expected 'ray' or 'serial'; got 'slurm'$"),
        (
            {"algorithm": "randm"},
            r"unknown algorithm 'randm'; did you mean 'random'\? there are auto, distribution, exhaustive, ",
        ),
        ({"algorithm": "{'name': 'random', 'size': 3}"}, r"random has no setting 'size'; its settings: none$"),
        ({"constraints": "total"}, r"--set constraints=total: constraint 'total' is not understood"),
    ],
)
def test_set_refuses(write, overrides: dict[str, str], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        load_study_file(write(), overrides)


@pytest.mark.parametrize(
    ("more", "overrides", "message"),
    [
        ("sizes = (1, 2)", {"sizes": "1"}, r"tiny.py:26: --set sizes=1: expected a list, like \(1, 2\) in the file$"),
        ("sizes = [1, 2]", {"sizes": "small"}, r"--set sizes=small: expected a list, like \[1, 2\] in the file$"),
        (
            "limits = {'a': 1}",
            {"limits": "[1]"},
            r"--set limits=\[1\]: expected a mapping, like \{'a': 1\} in the file$",
        ),
    ],
)
def test_set_keeps_a_list_a_list(write, more: str, overrides: dict[str, str], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        load_study_file(write(more=f"{more}\n"), overrides)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_trials = 10", "max_trials = (", r"tiny.py:25: syntax error: '\(' was never closed$"),
        ("max_trials = 10", "max_trials = 1 / 0", r"tiny.py:25: ZeroDivisionError: division by zero$"),
        ("max_trials = 10", "raise SystemExit(3)", r"tiny.py:25: SystemExit: 3$"),
        ("max_trials = 10", "max_trials = '10'", r"tiny.py:25: max_trials: expected a whole number .* got '10'$"),
        ("max_trials = 10", "max_trails = 10", r"tiny.py:25: `max_trails` is not used; did you mean `max_trials`\?"),
        ("width = 2", "width = 0", r"tiny.py:16: ValueError: "),
        ("objectives =", "goals =", r"tiny.py: `objectives` is missing: assign metrics and directions, e.g. `obj"),
        ("space =", "arena =", r"tiny.py: `space` is missing: assign a symbolic value"),
        ("space = Pair", "space = print", r"tiny.py:16: "),
        ("space = Pair(", "space = Pair\nother = Pair(", r"tiny.py:16: space: expected .*did you mean `space = Pair\("),
        ("space = Pair(", "space = lambda: Pair(", r"tiny.py:16: space: expected a symbolic value.*got <function"),
        ('{"total": "maximize"}', '"total"', r"tiny.py:23: objectives: expected metrics and directions.*got 'total'$"),
        ('"maximize"', '"up"', r"tiny.py:23: objectives: direction 'up' of objective 'total' is unknown"),
        ("def evaluator(task)", "evaluator = 3\ndef other(task)", r"tiny.py:19: evaluator: expected a call.*got 3$"),
        ('algorithm = "random"', "algorithm = 3", r"tiny.py:24: algorithm: expected an algorithm or one of.*got 3$"),
    ],
)
def test_a_wrong_file_gets_one_line_with_its_place(write, old: str, new: str, message: str) -> None:
    assert old in TINY
    with pytest.raises(StudyFileError, match=message) as caught:
        load(write(TINY.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_helper_variables_are_welcome(write) -> None:
    assert load(write(more="trials = 7\nmax_trials = trials\nepochs = 3\n_worker = 1\n")).max_trials == 7


def test_an_unknown_study_names_those_there_are() -> None:
    with pytest.raises(StudyFileError, match=r"^no_such: no such study; shipped studies: .*or give the path of a"):
        load("no_such")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyFileError, match="cannot be read as UTF-8 text"):
        load(str(tmp_path / "tiny.py"))


def test_a_failed_load_leaves_no_module_behind(write) -> None:
    sys.modules.pop("study_tiny", None)
    with pytest.raises(StudyFileError, match="ZeroDivisionError"):
        load(write(more="1 / 0\n"))
    assert "study_tiny" not in sys.modules


def test_the_recipe_is_strings_and_loads_the_file_again(write) -> None:
    study = load(write(), width="4")
    recipe = pickle.loads(pickle.dumps(study.recipe))
    sys.modules.pop("study_tiny")
    space, evaluator = recipe()
    assert isinstance(recipe, StudyRecipe)
    assert evaluator is not study.evaluator
    assert space.fingerprint == study.space.fingerprint


def test_the_recipe_uses_what_this_process_has_loaded(write) -> None:
    study = load(write())
    assert study.recipe() == (study.space, study.evaluator)


def test_the_recipe_needs_no_file(write) -> None:
    path = write()
    recipe = load(path).recipe
    Path(path).unlink()
    sys.modules.pop("study_tiny")
    assert recipe()[0].size == 6


def test_objects_of_a_study_file_can_be_pickled_in_its_process(write) -> None:
    candidate = load(write()).space.decode([2, 1])
    assert pickle.loads(pickle.dumps(candidate)) == candidate


def test_shipped_studies_are_described_without_being_run() -> None:
    assert all(name.isidentifier() and description for name, description in shipped_studies().items())
