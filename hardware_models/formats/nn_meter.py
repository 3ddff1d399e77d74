"""A CSV of kernels as nn-Meter's builder has it: one kernel's settings and its latency in ms a row.

Columns (Zhang et al., MobiSys 2021; `microsoft/nn-Meter`, `extract_feature.py`): `HW`, `CIN`, `COUT`, `KERNEL_SIZE`,
`STRIDES` or `POOL_STRIDES`, and `latency`, which nn-Meter measures in ms. Which kernel it is stands in a column
`kernel` or, as nn-Meter keeps a kernel a file, in the file's name, e.g. `conv-bn-relu.csv`.
"""

from __future__ import annotations

import re
from pathlib import Path

from hardware_models.documents import DeviceModel
from hardware_models.imported_table import Entries, plain_entry
from hardware_models.op import Op, chain, conv2d, elementwise, linear
from hardware_models.text_file import UNITS_PER_MS, Row, read_csv

KNOWN = {"kernel", "HW", "CIN", "COUT", "KERNEL_SIZE", "STRIDES", "POOL_STRIDES", "model_path"} | {
    f"latency{unit}" for unit in ("", *(f"_{unit}" for unit in UNITS_PER_MS))
}
"""Columns that are read; `model_path` and `feature_0`, ... are passed over."""

ACTIVATIONS = {"relu": "relu", "relu6": "relu6", "hswish": "hardswish"}
POOLS = {"maxpool": "max_pool2d", "avgpool": "avg_pool2d"}
PLAIN = {"relu": "relu", "hswish": "hardswish", "bn": "batch_norm2d", "se": "se", "channelshuffle": "channel_shuffle"}

_KERNEL = re.compile(
    r"(?:dwconv|conv)(?:-(?:bn|relu6|relu|hswish))*|maxpool|avgpool|global-avgpool|fc|addrelu|add|bnrelu|bn|relu|hswish|se"
    r"|channelshuffle"
)


def recognises(head: str) -> bool:
    """Return whether a file that begins like this is of this format."""
    columns = head.partition("\n")[0].replace(" ", "").split(",")
    return "CIN" in columns and any(name.startswith("latency") for name in columns)


def read(path: Path, *, device: str = "", unit: str | None = None) -> list[DeviceModel]:
    """Return the table of a device, by default called as the file's folder is, which is how nn-Meter sorts them.

    `conv-bn-relu` becomes the composite `conv_bn_relu`, `dwconv-...` the same in as many groups as channels, `fc` is
    `linear`; shapes are `CIN x HW x HW` and "same"-padded. A plain `latency` is in `unit`, which nn-Meter's is `ms`.

    Raises:
      ValueError: with file and line, for an unknown kernel or column, a kernel twice, a latency that is none.
    """
    comments, columns, rows = read_csv(path)
    for name in columns:
        if name not in KNOWN and not re.fullmatch(r"feature_\d+", name):
            raise ValueError(f"{path}:{len(comments) + 1}: unknown column {ascii(name)[:60]}")
    named = [(name, UNITS_PER_MS[name[8:] or unit or "ms"]) for name in columns if name.startswith("latency")]
    if len(named) != 1:
        raise ValueError(f"{path}:{len(comments) + 1}: expected one column of latencies, got {len(named)}")
    latency, per_ms = named[0]
    usual, found = _of_file(path), Entries(path)
    for row in rows:
        op = _op(row, row.text("kernel", usual))
        found.add(row.line, op, plain_entry(row.latency(latency, per_ms)))
    return [found.table(device or path.resolve().parent.name, engine="nn-meter")]


def _of_file(path: Path) -> str | None:
    """Return the longest kernel's name in the file's name."""
    names = _KERNEL.findall(path.name.partition(".")[0])
    return max(names, key=len) if names else None


def _op(row: Row, kernel: str) -> Op:
    if not _KERNEL.fullmatch(kernel):
        row.refuse(f"kernel: expected one like conv-bn-relu, dwconv-bn, maxpool, fc or add, got {ascii(kernel)[:60]}")
    if kernel == "fc":
        return linear((row.integer("CIN", 1),), row.integer("COUT", 1))
    shape = (row.integer("CIN", 1), row.integer("HW", 1), row.integer("HW", 1))
    if "conv" in kernel:
        return _conv(row, kernel.split("-"), shape)
    return _pool(row, POOLS[kernel], shape) if kernel in POOLS else _without_settings(kernel, shape)


def _without_settings(kernel: str, shape: tuple[int, int, int]) -> Op:
    """Return a kernel that is settled by its input's shape."""
    add, norm, relu = elementwise("add", shape, 2), elementwise("batch_norm2d", shape), elementwise("relu", shape)
    composed = {
        "global-avgpool": Op("global_avg_pool", (shape,), shape[:1]),
        "bnrelu": chain("bn_relu", norm, relu),
        "add": add,
        "addrelu": chain("add_relu", add, relu),
    }
    return composed.get(kernel) or elementwise(PLAIN[kernel], shape)


def _conv(row: Row, parts: list[str], shape: tuple[int, int, int]) -> Op:
    channels = row.integer("COUT", 1, default=shape[0])
    if parts[0] == "dwconv" and channels != shape[0]:
        row.refuse(f"COUT: a depthwise convolution keeps its {shape[0]} channels, got {channels}")
    kernel, stride = row.integer("KERNEL_SIZE", 1), row.integer("STRIDES", 1)
    conv = _window(row, conv2d(shape, channels, kernel, stride, groups=shape[0] if parts[0] == "dwconv" else 1))
    rest = [elementwise("batch_norm2d" if part == "bn" else ACTIVATIONS[part], conv.output) for part in parts[1:]]
    return chain("_".join(["conv", *parts[1:]]), conv, *rest) if rest else conv


def _pool(row: Row, kind: str, shape: tuple[int, int, int]) -> Op:
    strided = "POOL_STRIDES" if row.cells.get("POOL_STRIDES") else "STRIDES"
    kernel, stride = row.integer("KERNEL_SIZE", 1), row.integer(strided, 1)
    like = _window(row, conv2d(shape, shape[0], kernel, stride))
    return Op(kind, (shape,), like.output, kernel, stride, like.padding)


def _window(row: Row, op: Op) -> Op:
    """Return an operator whose kernel fits its input; refuse the row otherwise."""
    if min(op.output) < 1:
        row.refuse(f"KERNEL_SIZE: a kernel of {op.kernel} leaves nothing of {op.inputs[0][1]}x{op.inputs[0][2]}")
    return op
