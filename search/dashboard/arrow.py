"""Trials as an Apache Arrow stream: what pandas, Polars or DuckDB take in without parsing a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from search.dashboard.named_columns import Column, column
from search.dashboard.selected_trials import REASON, reasons, with_number_and_state
from search.dashboard.store import Opened, Store

if TYPE_CHECKING:
    import pyarrow as pa

ARROW = "application/vnd.apache.arrow.stream"


def arrow_stream(
    store: Store, study: Opened, numbers: np.ndarray, names: tuple[str, ...], facts: Mapping[str, object]
) -> bytes:
    """Return trials as an Arrow stream of one record batch, `number` and `state` always among the columns.

    Texts of which there are few (states, choices, workers) are dictionaries; a value that a trial has not is null.
    `facts` are the schema's metadata.
    """
    import pyarrow as pa

    columns = {name: _values(store, study, numbers, name) for name in with_number_and_state(names)}
    table = pa.table(columns, metadata={name: str(value) for name, value in facts.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _values(store: Store, study: Opened, numbers: np.ndarray, name: str) -> pa.Array:
    import pyarrow as pa

    if name == REASON:
        return pa.array(reasons(study, numbers), pa.string())
    return _array(column(store, study, name), numbers)


def _array(found: Column, numbers: np.ndarray) -> pa.Array:
    import pyarrow as pa

    missing = ~found.has()[numbers]
    values = found.values[numbers]
    if found.labels is None:
        return pa.array(values, mask=missing)
    indices = pa.array(values.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(found.labels, pa.string()))
