"""Formats are found by their names, or told by a file's first lines."""

from __future__ import annotations

import gzip
from dataclasses import replace
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest

from hardware_models.formats.operators import write
from hardware_models.importing import formats, read_devices
from hardware_models.latency_table import LatencyTable
from hardware_models.op import elementwise
from tests.hardware_models.genotype_tables import PLAIN, TABLE
from tests.hardware_models.tables import ENTRY, PROVENANCE

OPERATORS = LatencyTable({elementwise("relu", (8,)): ENTRY}, PROVENANCE)


@pytest.mark.parametrize("name", sorted(formats()))
def test_every_format_says_what_it_is_and_reads(name: str):
    assert formats()[name].endswith(".")
    parameters = signature(import_module(f"hardware_models.formats.{name}").read).parameters
    assert list(parameters)[:2] == ["path", "device"]
    assert all(one.default is not one.empty for name, one in parameters.items() if name not in ("path", "device"))


@pytest.mark.parametrize("model", [OPERATORS, TABLE], ids=["operators", "learned"])
def test_a_document_is_told_by_its_first_line(tmp_path: Path, model: LatencyTable):
    (tmp_path / "model.json").write_text(model.to_json())
    assert read_devices(tmp_path / "model.json") == [model]


def test_a_documents_device_may_be_renamed(tmp_path: Path):
    (tmp_path / "model.json").write_text(TABLE.to_json())
    [renamed] = read_devices(tmp_path / "model.json", device="mine")
    assert renamed == replace(TABLE, origin=replace(TABLE.origin, device="mine"))


def test_csv_files_are_told_by_their_columns(tmp_path: Path):
    write(OPERATORS, tmp_path / "operators.csv")
    (tmp_path / "relu.csv").write_text("HW,CIN,latency\n7,8,1.5\n")
    (tmp_path / "latency_ms.csv").write_text("arch_code,phone\n000,1\n")
    assert read_devices(tmp_path / "operators.csv") == [OPERATORS]
    assert len(read_devices(tmp_path / "relu.csv")) == 1
    with pytest.raises(ValueError, match="has 5 numbers to be learnt"):
        read_devices(tmp_path / "latency_ms.csv", space=PLAIN)


def test_a_file_of_no_format_is_refused(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("once upon a time")
    with pytest.raises(
        ValueError, match=r"notes\.txt is of no format .*: name it with --format: .*architectures, .*fbnet"
    ):
        read_devices(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", ["pickle", "../latency_table", "__init__"])
def test_an_unknown_format_is_refused(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match=r"unknown format '.*': expected .*architectures"):
        read_devices(tmp_path / "x", name)


def test_a_file_that_is_packed_badly_or_no_text_is_refused(tmp_path: Path):
    (tmp_path / "x.csv.gz").write_bytes(b"not gzip")
    (tmp_path / "y.csv.gz").write_bytes(gzip.compress(b"kind" * 99)[:20] + b"\0" * 20)
    (tmp_path / "x.csv").write_bytes(b"kind\n\xff\xfe")
    for name in ("x.csv.gz", "y.csv.gz"):
        with pytest.raises(ValueError, match=rf"{name}: damaged"):
            read_devices(tmp_path / name)
    with pytest.raises(ValueError, match=r"x\.csv:2: not UTF-8 text"):
        read_devices(tmp_path / "x.csv")


def test_a_pickle_is_not_run(tmp_path: Path):
    import pickle

    (tmp_path / "lut.json").write_bytes(pickle.dumps({"op_type": 1}, protocol=4))
    with pytest.raises(ValueError, match=r"lut\.json:1: not UTF-8 text"):
        read_devices(tmp_path / "lut.json", "fbnet")


def test_what_a_format_does_not_take_is_not_ignored(tmp_path: Path):
    write(OPERATORS, tmp_path / "phone.csv")
    with pytest.raises(ValueError, match=r"--unit says nothing to the format operators: leave it out"):
        read_devices(tmp_path / "phone.csv", unit="us")


def test_a_latency_without_a_unit_may_be_given_one(tmp_path: Path):
    (tmp_path / "relu.csv").write_text("HW,CIN,latency\n8,4,500\n")
    [model] = read_devices(tmp_path / "relu.csv", "nn_meter", unit="us")
    assert isinstance(model, LatencyTable)
    assert [entry.latency_ms for entry in model.entries.values()] == [0.5]
