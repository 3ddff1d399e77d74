"""A study's trials as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from search.trials import TrialTable

if TYPE_CHECKING:
    import pandas as pd


def frame(table: TrialTable, columns: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row a trial: number, state, metrics, decisions, reason, attempt, elapsed_s, worker.

    A choice is shown by its label, a float by its value; both are missing where other choices switch them off.
    A decision that has a metric's name, or one of the columns above, is called `decision.NAME`.
    """
    import pandas as pd

    data: dict[str, Any] = {"number": table.numbers, "state": table.states.astype(object), **table.metrics}
    after = {"reason": table.reasons, "attempt": table.attempts, "elapsed_s": table.elapsed_s, "worker": table.workers}
    active = activity(table.genotypes, columns)
    for index, column in enumerate(columns):
        name = column["name"]
        name = f"decision.{name}" if name in data or name in after else name
        data[name] = _labels(table.genotypes[:, index], active[:, index], column)
    return pd.DataFrame({**data, **after})


def activity(genotypes: np.ndarray, columns: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return which decisions are in force, shape (n, width): a column's parent must be, and hold the given choice."""
    active = np.ones(genotypes.shape, bool)
    for index, column in enumerate(columns):
        if column["parent"] >= 0:
            active[:, index] = active[:, column["parent"]] & (genotypes[:, column["parent"]] == column["parent_choice"])
    return active


def _labels(values: np.ndarray, active: np.ndarray, column: Mapping[str, Any]) -> np.ndarray:
    if column["kind"] == "float":
        shown: np.ndarray = np.where(active, values, np.nan)
        return shown
    labels: np.ndarray = np.array([*column["choices"]], object)[values.astype(np.int64)]
    labels[~active] = None
    return labels
