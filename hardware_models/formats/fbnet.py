"""FBNet's operator table as mobile-vision's `runtime_lut` has it: one JSON record a line, microseconds at percentiles.

A record (Wu et al., 2018; `facebookresearch/mobile-vision`, `runtime_lut/code/lut_schema.py`) holds `op_type`,
`op_args` (each argument as the text of a Caffe2 protobuf), `input_shapes` (activation, weight, bias), `input_dtypes`
(Caffe2's numbers), `runtime_us_p0`, `_p10`, `_p50`, `_p90`, `_p100` and `device`.
"""

from __future__ import annotations

import re
from pathlib import Path

from hardware_models.documents import DeviceModel
from hardware_models.imported_table import Entries
from hardware_models.latency_table import Entry
from hardware_models.op import Op, Shape, chain, elementwise
from hardware_models.strict_json import Field, parse
from hardware_models.text_file import read_text

PERCENTILES = (0, 10, 50, 90, 100)
DTYPES = {1: "float32", 2: "int32", 6: "uint8", 7: "int8", 8: "uint16", 9: "int16", 10: "int64", 12: "float16"}
"""Caffe2's `TensorProto.DataType`, of tensors that a network computes with."""

_FIELDS = frozenset({"op_type", "op_args", "input_shapes", "input_dtypes", "device"}) | {
    f"runtime_us_p{percentile}" for percentile in PERCENTILES
}
_ARGUMENT = re.compile(
    r'\s*name:\s*"(\w{1,64})"\s*((?:(?:i|f|s|ints|floats):\s*(?:[\w.+-]{1,40}+|"[^"\\]{0,64}")\s*){0,64})'
)
_VALUE = re.compile(r'\w+:\s*"?([^"\s]*)')
_SIZE = 2**31


def recognises(head: str) -> bool:
    """Return whether a file that begins like this is of this format."""
    return head.lstrip().startswith("{") and '"op_type"' in head and '"runtime_us_p50"' in head


def read(path: Path, *, device: str = "") -> list[DeviceModel]:
    """Return a table for each device of the file, or of the one called `device`; the latency is the 50th percentile.

    `Int8Conv` and `Conv` become `conv2d`, with a fused ReLU the composite `conv_relu`; `FC` becomes `linear`; any other
    operator keeps its own name in lower case, with its first input's shape for its output, which no record tells.
    Quantisation scales, zero points and workspace limits are ignored, as mobile-vision ignores them.

    Raises:
      ValueError: with file and line, for a record that is not as above or an operator twice.
    """
    found: dict[str, Entries] = {}
    for line, text in enumerate(read_text(path).split("\n"), 1):
        if not text.strip():
            continue
        place = f"{path}:{line}"
        record = parse(text, place).members(_FIELDS)
        name = record["device"].text(128)
        found.setdefault(name, Entries(path)).add(line, _op(record, place), _entry(record, place))
    if device and device in found:
        found = {device: found[device]}
    elif device and len(found) == 1:
        found = {device: next(iter(found.values()))}
    elif device or not found:
        raise ValueError(f"{path}: expected records of the device {device!r}, found {', '.join(found) or 'none'}")
    return [entries.table(name, engine="caffe2") for name, entries in found.items()]


def _entry(record: dict[str, Field], place: str) -> Entry:
    times = [record[f"runtime_us_p{percentile}"].number(0.0, 1e12) / 1e3 for percentile in PERCENTILES]
    if times != sorted(times) or times[2] <= 0:
        raise ValueError(f"{place}: runtime_us_p0 to p100 must ascend and be above zero, got {times} ms")
    least, tenth, median = times[:3]
    return Entry(median, 0, least, tenth, median, (median, median))


def _op(record: dict[str, Field], place: str) -> Op:
    shapes = [tuple(size.integer(1, _SIZE) for size in item.items(8)) for item in record["input_shapes"].items(64, 1)]
    kind, dtype = record["op_type"].text(64), _dtype(record, len(shapes), place)
    arguments = _arguments(record, place)
    plain = kind.removeprefix("Int8")
    if plain in ("Conv", "ConvRelu"):
        return _conv(plain, shapes, arguments, dtype, place)
    inputs = tuple(shape[1:] for shape in shapes)
    if plain == "FC" and len(shapes) in (2, 3):
        if len(shapes[1]) != 2:
            raise ValueError(f"{place}.input_shapes: expected a weight of two axes, got {shapes[1]}")
        return Op("linear", ((shapes[1][1],),), (shapes[1][0],), bias=len(shapes) == 3, dtype=dtype)
    return Op(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower(), inputs, inputs[0], dtype=dtype)


def _conv(kind: str, shapes: list[Shape], arguments: dict[str, str], dtype: str, place: str) -> Op:
    """Return a convolution of an activation (n, height, width, channels) or, without `order: NHWC`, (n, c, h, w)."""
    if len(shapes) not in (2, 3) or len(shapes[0]) != 4 or len(shapes[1]) != 4:
        raise ValueError(f"{place}.input_shapes: expected an activation, a weight and perhaps a bias, got {shapes}")
    last = arguments.get("order", "NHWC" if dtype == "int8" else "NCHW") == "NHWC"
    height, width, channels = shapes[0][1:] if last else (*shapes[0][2:], shapes[0][1])
    kernels = shapes[1][1:3] if last else shapes[1][2:]
    if kernels[0] != kernels[1]:
        raise ValueError(f"{place}.input_shapes: expected a square kernel, got {kernels[0]}x{kernels[1]}")
    kernel, stride = kernels[0], _whole(arguments, "stride", 1, place)
    padding, dilation = _whole(arguments, "pad", 0, place), _whole(arguments, "dilation", 1, place)
    groups = _whole(arguments, "group", 1, place)
    if min(stride, dilation, groups) < 1:
        raise ValueError(f"{place}: op_args: stride, dilation and groups must be at least 1, got {arguments}")
    sides = [(side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 for side in (height, width)]
    if min(sides) < 1:
        raise ValueError(f"{place}: the kernel {kernel}x{kernel} leaves nothing of {height}x{width}")
    inputs, output = (channels, height, width), (shapes[1][0], *sides)
    conv = Op("conv2d", (inputs,), output, kernel, stride, padding, dilation, groups, len(shapes) == 3, dtype)
    return chain("conv_relu", conv, elementwise("relu", output)) if kind == "ConvRelu" else conv


def _dtype(record: dict[str, Field], inputs: int, place: str) -> str:
    """Return the type of the activation; an int8 operator's is int8, however Caffe2 stores it."""
    numbers = [item.integer(0, 100) for item in record["input_dtypes"].items(inputs, inputs)]
    if record["op_type"].text(64).startswith("Int8"):
        return "int8"
    if numbers[0] not in DTYPES:
        raise ValueError(f"{place}.input_dtypes: expected one of {', '.join(map(str, DTYPES))}, got {numbers[0]}")
    return DTYPES[numbers[0]]


def _arguments(record: dict[str, Field], place: str) -> dict[str, str]:
    """Return the values of arguments by name, of several equal ones the one; their text is matched, never run."""
    found: dict[str, str] = {}
    for item in record["op_args"].items(64):
        text = item.value
        match = _ARGUMENT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f'{place}: op_args: expected text like name: "kernel" i: 3, got {ascii(text)[:60]}')
        found[match[1]] = " ".join(dict.fromkeys(_VALUE.findall(match[2])))
    return found


def _whole(arguments: dict[str, str], name: str, default: int, place: str) -> int:
    text = arguments.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(f"{place}: op_args: {name}: expected a whole number, got {text!r}")
    return int(text)
