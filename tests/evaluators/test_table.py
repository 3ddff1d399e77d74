"""Table look-ups: NAS-Bench-201's published accuracies, what a worker is sent, and what is refused."""

from __future__ import annotations

import time

import cloudpickle
import numpy as np
import pyglove as pg
import pytest

from evaluators._base import Infeasible, Task
from evaluators.table import Table, nasbench201_table
from spaces.genotype import GenotypeSpace
from spaces.nasbench201 import nasbench201


def two_by_three() -> dict[str, np.ndarray]:
    return {"accuracy": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])}


def pair(first: int, second: int, choices: int = 3) -> Task:
    space = GenotypeSpace(pg.Dict(first=pg.oneof([0, 1]), second=pg.oneof(list(range(choices)))))
    return Task(space, np.array([first, second], space.dtype))


@pytest.fixture(scope="module")
def cells() -> GenotypeSpace:
    return GenotypeSpace(nasbench201())


def test_published_accuracies(cells: GenotypeSpace) -> None:
    first = Task(cells, np.array([4, 2, 1, 2, 1, 1], cells.dtype))
    assert list(nasbench201_table()(first)) == [{"accuracy": pytest.approx(81.9827, abs=5e-5)}]
    assert list(nasbench201_table(seed=0)(first)) == [{"accuracy": pytest.approx(82.092)}]
    everything = cells.enumerate(0, 15_625)
    for dataset, best in (("cifar10", 91.6067), ("cifar100", 73.4933)):
        accuracy = nasbench201_table(dataset).evaluate_many(everything)["accuracy"]
        assert (accuracy.shape, accuracy.max()) == ((15_625,), pytest.approx(best, abs=5e-5))


def test_a_candidate_is_never_built(cells: GenotypeSpace) -> None:
    task = Task(GenotypeSpace(cells.dna_spec), np.array([3, 3, 3, 3, 3, 3], np.uint8))  # a specification cannot decode
    assert next(nasbench201_table()(task))["accuracy"] > 80


def test_a_look_up_takes_microseconds(cells: GenotypeSpace) -> None:
    table, tasks = nasbench201_table(), [Task(cells, row) for row in cells.enumerate(0, 2_000)]
    next(table(tasks[0]))
    began = time.thread_time()
    for task in tasks:
        next(table(task))
    assert (time.thread_time() - began) / len(tasks) < 100e-6


def test_a_worker_is_sent_no_accuracies(cells: GenotypeSpace) -> None:
    table = nasbench201_table()
    before = next(table(Task(cells, np.zeros(6, np.uint8))))
    sent = cloudpickle.dumps(table)
    assert len(sent) < 1_000
    assert next(cloudpickle.loads(sent)(Task(cells, np.zeros(6, np.uint8)))) == before


def test_a_missing_entry_is_infeasible() -> None:
    table = Table(two_by_three)
    assert list(table(pair(1, 1))) == [{"accuracy": 5.0}]
    with pytest.raises(Infeasible, match=r"no accuracy for genotype \[1, 2\]"):
        list(table(pair(1, 2)))


@pytest.mark.parametrize("genotypes", [[[2, 0]], [[0, 3]], [[0, 0, 0]]])
def test_genotypes_of_another_space_are_refused(genotypes: list[list[int]]) -> None:
    with pytest.raises(ValueError, match=r"2 decisions of \(2, 3\) choices"):
        Table(two_by_three).evaluate_many(np.array(genotypes, np.uint8))


def test_promised_metrics_must_be_there() -> None:
    with pytest.raises(ValueError, match=r"holds \['accuracy'\], but its evaluator promises \['loss'\]"):
        list(Table(two_by_three, ("loss",))(pair(0, 0)))


def test_an_unknown_data_set_or_run_is_refused() -> None:
    with pytest.raises(ValueError, match="cifar10, cifar100, imagenet16-120, not 'mnist'"):
        nasbench201_table("mnist")
    with pytest.raises(ValueError, match="nasbench201 has runs 0 to 1; got seed=7"):
        nasbench201_table(seed=7)
