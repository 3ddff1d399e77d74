"""Tables of the ProxylessNAS space, as published for the Google Pixel 1 (Cai, Zhu and Han, ICLR 2019)."""

from __future__ import annotations

from pathlib import Path

from hardware_models import blocks
from hardware_models.formats._mobile_files import read_rows
from hardware_models.formats._mobile_tables import Key, make_table, origin, settings_of
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op

KINDS = ("Conv", "expanded_conv", "Conv_1", "Logits")
"""Kinds of rows: the stem, a block, the convolution after the last one, and all that follows."""

ACTIVATION = "relu6"


def recognises(head: str) -> bool:
    """Return whether a file that begins like this is of this format."""
    return "expanded_conv-input:" in head and "-se:" not in head


def read(path: Path, *, device: str = "") -> list[LatencyTable]:
    """Return the table of a file, alone in a list; its operators are those of `spaces.proxylessnas`.

    The published one holds the blocks of `proxylessnas("search")` at 224 x 224 alone.

    Args:
      path: the published YAML, or JSON; see `hardware_models.formats._mobile_files`.
      device: the short name that the table gets; by default what the file calls it.

    Raises:
      OSError: for a file that cannot be read.
      ValueError: for one that is not of the format; the message holds the file and the line or path.
    """
    name, tables = read_rows(path)
    return [make_table(tables, _op, KINDS, origin(path, device, name))]


def _op(key: Key) -> Op:
    inputs, channels = key.inputs, key.output[0]
    if key.kind == "expanded_conv":
        return _block(key)
    settings_of(key)
    match key.kind:
        case "Conv":
            return blocks.conv_bn(inputs, channels, 3, 2, activation=ACTIVATION)
        case "Conv_1":
            return blocks.conv_bn(inputs, channels, 1, activation=ACTIVATION)
        case "Logits":
            return blocks.classifier(inputs, channels)
    raise ValueError(f"expected one of {', '.join(KINDS)}")


def _block(key: Key) -> Op:
    """Return a block's operator; its `expand` is the factor by which the input is widened."""
    expansion, kernel, stride, shortcut = settings_of(key, "expand", "kernel", "stride", "idskip")
    if kernel % 2 == 0 or 0 in (expansion, stride) or shortcut > 1:
        raise ValueError("expected an odd kernel, expand and stride of at least 1, and idskip of 0 or 1")
    return blocks.inverted_residual(
        key.inputs, key.output[0], kernel, stride, middle=key.inputs[0] * expansion, activation=ACTIVATION,
        shortcut=bool(shortcut),
    )  # fmt: skip
