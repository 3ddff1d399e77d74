"""A module as an ONNX document, and several copies of one side by side in a single document."""

from __future__ import annotations

import io
import warnings
from typing import Any

import torch
from torch import Tensor, nn


def export(module: nn.Module, inputs: tuple[Tensor, ...]) -> Any:
    """Return the ONNX model of `module`, made by PyTorch's tracing exporter; its inputs are `input_0`, `input_1`, ...

    An input that the module does not use is missing. The exporter's successor would need another package,
    `onnxscript`.
    """
    import onnx

    document = io.BytesIO()
    names = [f"input_{number}" for number in range(len(inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), inputs, document, dynamo=False, input_names=names)  # type: ignore[arg-type]
    return onnx.load_from_string(document.getvalue())


def side_by_side(document: Any, copies: int) -> Any:
    """Return a model of so many copies of `document`, the names of each prefixed: `copy_0_`, `copy_1_`, ...

    To copy a document is ten times as fast as to trace a module again. Copies have weights of their own.
    """
    import onnx

    whole = onnx.ModelProto()
    whole.CopyFrom(document)
    parts = ("node", "initializer", "input", "output")
    for part in (*parts, "value_info"):
        whole.graph.ClearField(part)
    for number in range(copies):
        twin = onnx.compose.add_prefix_graph(document.graph, f"copy_{number}_")
        for part in parts:
            getattr(whole.graph, part).extend(getattr(twin, part))
    return whole
