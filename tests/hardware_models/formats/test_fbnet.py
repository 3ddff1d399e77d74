"""FBNet's operator table: records become operators, anything else is refused with its line."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from hardware_models.counts import macs
from hardware_models.formats.fbnet import read
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op, chain, elementwise

RECORD: dict[str, Any] = {
    "op_type": "Int8ConvRelu",
    "op_args": ['name: "kernel"\ni: 3\n', 'name: "order"\ns: "NHWC"\n', 'name: "pad"\ni: 1\n', 'name: "stride"\ni: 2\n',
                'name: "Y_scale"\nf: 0.023\n'],
    "input_shapes": [[1, 224, 224, 3], [32, 3, 3, 3], [32]],
    "input_dtypes": [6, 6, 2],
    "runtime_us_p0": 950.0,
    "runtime_us_p10": 955.0,
    "runtime_us_p50": 960.0,
    "runtime_us_p90": 1000.0,
    "runtime_us_p100": 1200.0,
    "device": "SM-G950U-7.0-24",
}  # fmt: skip


def table(folder: Path, *records: dict[str, Any], device: str = "") -> LatencyTable:
    [found] = read(file(folder, *records), device=device)
    assert isinstance(found, LatencyTable)
    return found


def file(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "lut.json"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return path


def test_a_convolution_with_its_relu_is_one_composite(tmp_path: Path):
    conv = Op("conv2d", ((3, 224, 224),), (32, 112, 112), 3, 2, 1, bias=True, dtype="int8")
    found = table(tmp_path, RECORD)
    assert list(found.entries) == [chain("conv_relu", conv, elementwise("relu", (32, 112, 112)))]
    [entry] = found.entries.values()
    assert (entry.latency_ms, entry.minimum_ms, entry.median_ms, entry.samples) == (0.96, 0.95, 0.96, 0)
    assert (found.provenance.device, found.provenance.engine) == ("SM-G950U-7.0-24", "caffe2")


def test_a_depthwise_convolution_has_its_groups(tmp_path: Path):
    record = RECORD | {"op_type": "Int8Conv", "input_shapes": [[1, 8, 8, 32], [32, 3, 3, 1], [32]]}
    record["op_args"] = ['name: "group"\ni: 32\n', 'name: "pads"\nints: 1\nints: 1\n', 'name: "pad"\ni: 1\n']
    [conv] = table(tmp_path, record).entries
    assert (conv.kind, conv.inputs, conv.output, conv.groups) == ("conv2d", ((32, 8, 8),), (32, 8, 8), 32)


def test_floats_are_channels_first_unless_they_say_otherwise(tmp_path: Path):
    record = RECORD | {
        "op_type": "Conv",
        "op_args": [],
        "input_shapes": [[1, 3, 8, 8], [4, 3, 1, 1]],
        "input_dtypes": [1, 1],
    }
    [conv] = table(tmp_path, record).entries
    assert conv == Op("conv2d", ((3, 8, 8),), (4, 8, 8), 1)


def test_a_linear_layer_and_other_operators(tmp_path: Path):
    linear = RECORD | {
        "op_type": "FC",
        "op_args": [],
        "input_shapes": [[1, 64], [10, 64], [10]],
        "input_dtypes": [1] * 3,
    }
    other = RECORD | {"op_type": "NCHW2NHWC", "op_args": [], "input_shapes": [[1, 3, 8, 8]], "input_dtypes": [1]}
    average = other | {"op_type": "Int8AveragePool"}
    assert [str(op) for op in table(tmp_path, linear, other, average).entries] == [
        "linear 64 -> 10 (bias True)",
        "nchw2_nhwc 3x8x8 -> 3x8x8",
        "int8_average_pool 3x8x8 -> 3x8x8 (dtype int8)",
    ]


def test_devices_are_told_apart(tmp_path: Path):
    both = (RECORD, RECORD | {"device": "iphone"})
    found = read(file(tmp_path, *both))
    assert [model.provenance.device for model in found if isinstance(model, LatencyTable)] == [
        "SM-G950U-7.0-24",
        "iphone",
    ]
    assert table(tmp_path, *both, device="iphone").provenance.device == "iphone"
    assert table(tmp_path, RECORD, device="s8").provenance.device == "s8"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runtime_us_p50": -1}, "lut.json:2.runtime_us_p50: expected a finite number from 0 to 1e+12, got -1"),
        (
            {"runtime_us_p50": 0, "runtime_us_p0": 0, "runtime_us_p10": 0},
            "lut.json:2: runtime_us_p0 to p100 must ascend",
        ),
        ({"runtime_us_p0": 2000}, "lut.json:2: runtime_us_p0 to p100 must ascend and be above zero"),
        ({"runtime_ms": 1}, "lut.json:2: unknown field 'runtime_ms'"),
        ({"input_shapes": []}, "lut.json:2.input_shapes: expected a list of 1 to 64 items"),
        ({"input_shapes": [[1, 8, 8, 3], [4, 3, 3, 3]]}, "lut.json:2.input_dtypes: expected a list of 2 to 2 items"),
        (
            {"input_shapes": [[1, 8], [4, 3], [4]]},
            "lut.json:2.input_shapes: expected an activation, a weight and perhaps",
        ),
        (
            {"input_shapes": [[1, 8, 8, 3], [4, 3, 5, 3], [4]]},
            "lut.json:2.input_shapes: expected a square kernel, got 3x5",
        ),
        ({"op_args": ["__import__('os')"]}, 'lut.json:2: op_args: expected text like name: "kernel" i: 3'),
        ({"op_args": ['name: "stride"\ni: -2\n']}, "lut.json:2: op_args: stride: expected a whole number, got '-2'"),
        (
            {"op_args": ['name: "stride"\ni: 0\n']},
            "lut.json:2: op_args: stride, dilation and groups must be at least 1",
        ),
        ({"input_shapes": [[1, 2, 2, 3], [4, 9, 9, 3], [4]]}, "lut.json:2: the kernel 9x9 leaves nothing of 2x2"),
        (
            {"op_args": ['name: "stride"\nints: 1\nints: 2\n']},
            "lut.json:2: op_args: stride: expected a whole number, got '1 2'",
        ),
        ({"op_type": "Conv", "input_dtypes": [4, 1, 1]}, "lut.json:2.input_dtypes: expected one of 1, 2, 6"),
        ({"device": 5}, "lut.json:2.device: expected a string of 1 to 128 printable characters, got 5"),
        (
            {},
            "lut.json:2: the operator conv_relu 3x224x224 -> 32x112x112 (dtype int8, conv2d 3x3 > relu) stands",
        ),
    ],
)
def test_a_wrong_record_is_told_with_its_line(tmp_path: Path, change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        read(file(tmp_path, RECORD, RECORD | change))


def test_a_device_that_is_not_there_is_refused(tmp_path: Path):
    both = (RECORD, RECORD | {"device": "iphone"})
    with pytest.raises(ValueError, match=r"records of the device 'pixel', found SM-G950U-7\.0-24, iphone"):
        read(file(tmp_path, *both), device="pixel")


def test_a_linear_layer_of_an_image_reads_all_of_it(tmp_path: Path):
    record = RECORD | {"op_type": "FC", "op_args": [], "input_shapes": [[1, 1984, 1, 1], [1000, 1984]]}
    [linear] = table(tmp_path, record | {"input_dtypes": [1, 1]}).entries
    assert (linear.inputs, linear.output, macs([linear])) == (((1984,),), (1000,), 1_984_000)


def test_a_hostile_argument_is_refused_at_once(tmp_path: Path):
    began = time.process_time()
    with pytest.raises(ValueError, match=r"lut.json:1"):
        read(file(tmp_path, RECORD | {"op_args": ['name: "a" i:' + "aints:" * 60 + "!"]}))
    assert time.process_time() - began < 5  # with a pattern that backtracks it takes years
