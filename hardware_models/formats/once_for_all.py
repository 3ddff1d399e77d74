"""Tables of the once-for-all MobileNetV3 space, as published for the Samsung Note10 (Cai et al., ICLR 2020)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hardware_models import blocks
from hardware_models.formats._mobile_files import read_rows
from hardware_models.formats._mobile_tables import Key, make_table, origin, settings_of
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op

KINDS = ("Conv", "expanded_conv", "Conv_1", "AvgPool2D", "Conv_2", "Logits")
"""Kinds of rows: the stem, a block, the convolution after the last one, the pooling, another convolution, the rest."""

HARD = "hardswish"


def recognises(head: str) -> bool:
    """Return whether a file that begins like this is of this format."""
    return "expanded_conv-input:" in head and "-se:" in head


def read(path: Path, *, device: str = "", resolutions: Collection[int] | None = None) -> list[LatencyTable]:
    """Return the table of a file, alone in a list; its operators are those of `spaces.once_for_all`.

    The files have a table for each resolution. An operator that stands in several has its value of the largest one,
    so that a sum over a network is off by up to 0.4 % from that over its own resolution's table, which is the authors'.

    Args:
      path: the published YAML of one resolution, a folder of such files, or JSON of several resolutions; see
        `hardware_models.formats._mobile_files`.
      device: the short name that the table gets; by default what the file calls it.
      resolutions: those whose entries are taken; None for all.

    Raises:
      OSError: for a file that cannot be read.
      ValueError: for one that is not of the format; the message holds the file and the line or path.
    """
    name, tables = read_rows(path)
    return [make_table(tables, _op, KINDS, origin(path, device, name), resolutions)]


def _op(key: Key) -> Op:
    inputs, channels = key.inputs, key.output[0]
    if key.kind == "expanded_conv":
        return _block(key)
    settings_of(key)
    match key.kind:
        case "Conv":
            return blocks.conv_bn(inputs, channels, 3, 2, activation=HARD)
        case "Conv_1":
            return blocks.conv_bn(inputs, channels, 1, activation=HARD)
        case "AvgPool2D":
            return blocks.global_pool(inputs)
        case "Conv_2":
            return blocks.conv_act(inputs, channels, 1, activation=HARD)
        case "Logits" if inputs[1:] == (1, 1):
            return blocks.classifier(inputs, channels)
    raise ValueError(f"expected one of {', '.join(KINDS)}")


def _block(key: Key) -> Op:
    """Return a block's operator; its `expand` is the number of channels of the depthwise convolution."""
    names = ("expand", "kernel", "stride", "idskip", "se", "hs")
    middle, kernel, stride, shortcut, squeeze, hard = settings_of(key, *names)
    if kernel % 2 == 0 or 0 in (middle, stride) or max(shortcut, squeeze, hard) > 1:
        raise ValueError("expected an odd kernel, expand and stride of at least 1, and 0 or 1 for the others")
    return blocks.inverted_residual(
        key.inputs, key.output[0], kernel, stride, middle=middle, activation=HARD if hard else "relu",
        squeeze=bool(squeeze), shortcut=bool(shortcut),
    )  # fmt: skip
