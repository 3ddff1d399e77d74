"""The CSV of operators: an exact round trip, and every refusal with its line."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.formats.operators import read, write
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op, chain, conv2d, elementwise
from tests.hardware_models.tables import ENTRY, PROVENANCE, tables

HEAD = "kind,inputs,output,kernel,stride,padding,bias,latency_ms\n"
CONV = "conv2d,3x8x8,16x8x8,3,1,1,false,0.25\n"
BLOCK = chain("conv_relu", conv2d((3, 8, 8), 16, 3), elementwise("relu", (16, 8, 8)))


def written(folder: Path, text: str, name: str = "phone.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@given(tables.filter(lambda table: bool(table.entries)))
@settings(max_examples=60)
def test_a_table_comes_back_exactly(table: LatencyTable):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write(table, path)
        assert read(path) == [table]


def test_a_file_by_hand_needs_little(tmp_path: Path):
    [table] = read(written(tmp_path, HEAD + CONV))
    assert isinstance(table, LatencyTable)
    assert table({conv2d((3, 8, 8), 16, 3): 1}) == {"latency_ms": 0.25}
    assert (table.provenance.device, table.provenance.engine) == ("phone", "unknown")
    assert table.provenance.software == {"imported_from": "phone.csv"}


def test_cells_may_be_left_empty_for_usual_values(tmp_path: Path):
    [table] = read(written(tmp_path, "kind,inputs,output,latency_us,bias\nadd,8x4x4 + 8x4x4,8x4x4,2.5,\n"))
    assert isinstance(table, LatencyTable)
    assert table([elementwise("add", (8, 4, 4), 2)]) == {"latency_ms": 0.0025}


def test_a_shape_without_axes_is_a_scalar(tmp_path: Path):
    [table] = read(written(tmp_path, "kind,inputs,output,latency_ms\nmean,8x4,scalar,1\n"))
    assert isinstance(table, LatencyTable)
    assert list(table.entries) == [Op("mean", ((8, 4),), ())]


def test_a_device_may_be_renamed(tmp_path: Path):
    path = tmp_path / "table.csv"
    write(LatencyTable({BLOCK: ENTRY}, PROVENANCE), path)
    [table] = read(path, device="mine")
    assert isinstance(table, LatencyTable)
    assert (table.provenance.device, table.provenance.engine) == ("mine", "torch")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "phone.csv:1: expected a line that names the columns"),
        (HEAD, "phone.csv: there is no operator in it"),
        (
            HEAD + CONV + CONV,
            "phone.csv:3: the operator conv2d 3x8x8 -> 16x8x8 (kernel 3, padding 1) stands on line 2 alr",
        ),
        (
            HEAD + CONV.replace("0.25", "-0.25"),
            "phone.csv:2: latency_ms: expected a latency of at least zero, got '-0.25'",
        ),
        (HEAD + CONV.replace("0.25", ""), "phone.csv:2: latency_ms is missing"),
        (HEAD + CONV.replace("0.25", "1e300"), "phone.csv:2: latency_ms: expected a latency below a year, got '1e300'"),
        (HEAD + CONV.replace("0.25", "nan"), "phone.csv:2: latency_ms: expected a latency of at least zero, got 'nan'"),
        (HEAD + CONV.replace("0.25", "1_0"), "phone.csv:2: latency_ms: expected a latency of at least zero, got '1_0'"),
        (HEAD + CONV.replace("0.25", "1e99"), "phone.csv:2: latency_ms: expected a latency"),
        (HEAD.replace("_ms", "") + CONV, "phone.csv:1: latency has no unit: expected a column latency_ms"),
        (HEAD.replace("latency_ms", "ms") + CONV, "phone.csv:1: there is no latency: expected a column latency_ms"),
        (HEAD.replace("bias", "byas") + CONV, "phone.csv:1: unknown column 'byas'; expected kind, inputs, output"),
        (HEAD.replace("bias", "kernel") + CONV, "phone.csv:1: the column 'kernel' stands twice"),
        (HEAD + "\n" + CONV.replace(",1,1,", ",0,1,"), "phone.csv:3: op.stride: expected an integer from 1"),
        (HEAD + CONV.replace("false", "no"), "phone.csv:2: bias: expected a number, true, false or a list, got 'no'"),
        (HEAD + CONV.replace("16x8x8", "16x8y8"), "phone.csv:2: output: expected a shape like 16x32x32, got '16x8y8'"),
        (HEAD + CONV.replace("3x8x8", "3x8x-8"), "phone.csv:2: inputs: expected a shape like 16x32x32"),
        (HEAD + CONV.replace("conv2d", ""), "phone.csv:2: op.kind: is missing"),
        (HEAD + CONV.replace("conv2d", "\x1b[2J"), "phone.csv:2: kind: expected printable characters"),
        (HEAD + CONV + "conv2d,3x8x8\n", "phone.csv:3: expected 8 cells, one for each column, got 2"),
        (HEAD + CONV + '"conv2d,3x8x8\n', "phone.csv:3: not CSV: unexpected end of data"),
        (
            HEAD.replace("bias", "inner") + CONV.replace("false", "[" * 5000),
            "phone.csv:2: inner: expected a number, true,",
        ),
        (HEAD.replace("bias", "inner") + CONV.replace("false", "[" * 900 + "]" * 900), "phone.csv:2:"),
        ("# provenance: nonsense\n" + HEAD + CONV, "phone.csv:1: provenance: expected JSON, got 'nonsense'"),
        ("# provenance: {}\n" + HEAD + CONV, "phone.csv: latency table.provenance.batch: is missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        read(written(tmp_path, text))


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_anything_else_is_one_clear_line(text: str):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phone.csv"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(ValueError, match=r"phone\.csv(:\d+)?: [^\n]*\Z"):
            read(path)
