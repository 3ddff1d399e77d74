"""nn-Meter's kernels: rows become operators, anything else is refused with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hardware_models.counts import macs
from hardware_models.formats.nn_meter import read
from hardware_models.latency_table import LatencyTable
from hardware_models.op import chain, conv2d, elementwise

HEAD = "model_path,HW,CIN,COUT,KERNEL_SIZE,STRIDES,feature_0,latency\n"
ROW = "x.pb,14,98,120,3,1,20.7,1.25\n"


def table(folder: Path, text: str, name: str = "conv-bn-relu.csv", device: str = "") -> LatencyTable:
    (folder / name).write_text(text, encoding="utf-8")
    [found] = read(folder / name, device=device)
    assert isinstance(found, LatencyTable)
    return found


def test_the_kernel_is_told_by_the_files_name(tmp_path: Path):
    (tmp_path / "cortexA76cpu").mkdir()
    found = table(tmp_path / "cortexA76cpu", HEAD + ROW)
    conv = conv2d((98, 14, 14), 120, 3)
    rest = [elementwise(kind, conv.output) for kind in ("batch_norm2d", "relu")]
    assert {op: entry.latency_ms for op, entry in found.entries.items()} == {chain("conv_bn_relu", conv, *rest): 1.25}
    assert (found.provenance.device, found.provenance.engine) == ("cortexA76cpu", "nn-meter")
    assert macs(list(found.entries)) == 14 * 14 * 98 * 120 * 9


def test_the_kernel_may_stand_in_a_column(tmp_path: Path):
    text = "kernel,HW,CIN,COUT,KERNEL_SIZE,STRIDES,latency_us\n" + "\n".join(
        ["dwconv-bn,14,8,8,5,2,10", "maxpool,14,8,8,3,2,20", "fc,,64,10,,,30", "add,7,8,,,,40", "addrelu,7,8,,,,50",
         "hswish,7,8,,,,60", "global-avgpool,7,8,,,,70", "bnrelu,7,8,,,,80", "conv,7,8,4,1,1,90"]
    )  # fmt: skip
    found = table(tmp_path, text, "kernels.csv", "pixel")
    assert [f"{op} {1e3 * entry.latency_ms:.0f}" for op, entry in found.entries.items()] == [
        "conv_bn 8x14x14 -> 8x7x7 (conv2d 5x5 > batch_norm2d) 10",
        "max_pool2d 8x14x14 -> 8x7x7 (kernel 3, stride 2, padding 1) 20",
        "linear 64 -> 10 (bias True) 30",
        "add 8x7x7 + 8x7x7 -> 8x7x7 40",
        "add_relu 8x7x7 + 8x7x7 -> 8x7x7 (add > relu) 50",
        "hardswish 8x7x7 -> 8x7x7 60",
        "global_avg_pool 8x7x7 -> 8 70",
        "bn_relu 8x7x7 -> 8x7x7 (batch_norm2d > relu) 80",
        "conv2d 8x7x7 -> 4x7x7 (kernel 1) 90",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + ROW + ROW,
            "csv:3: the operator conv_bn_relu 98x14x14 -> 120x14x14 (conv2d 3x3 > batch_norm2d > relu) stands",
        ),
        (HEAD + ROW.replace("1.25", "0"), "csv:2: latency: expected a latency above zero, got '0'"),
        (HEAD + ROW.replace("1.25", "42.0 +- 1.0"), "csv:2: latency: expected a latency above zero, got '42.0 +- 1.0'"),
        (HEAD + ROW.replace("98", "9.5"), "csv:2: CIN: expected an integer from 1 to 2147483648, got '9.5'"),
        (HEAD + ROW.replace("14,", ","), "csv:2: HW is missing"),
        (HEAD.replace("STRIDES", "STRIDE") + ROW, "csv:1: unknown column 'STRIDE'"),
        (HEAD.replace(",latency", "") + ROW, "csv:1: expected one column of latencies, got 0"),
        (
            HEAD.replace("model_path", "kernel") + ROW.replace("x.pb", "lstm"),
            "csv:2: kernel: expected one like conv-bn-relu",
        ),
        (
            HEAD.replace("model_path", "kernel") + ROW.replace("x.pb", "dwconv"),
            "csv:2: COUT: a depthwise convolution keeps",
        ),
        (HEAD, "csv: there is no operator in it"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        table(tmp_path, text)


def test_a_file_that_names_no_kernel_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"data\.csv:2: kernel is missing"):
        table(tmp_path, HEAD + ROW, "data.csv")


def test_a_kernel_larger_than_its_input_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"csv:2: KERNEL_SIZE: a kernel of 2 leaves nothing of 1x1"):
        table(tmp_path, HEAD + "x.pb,1,3,3,2,1,0,1.0\n")
