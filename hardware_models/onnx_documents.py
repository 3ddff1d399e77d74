"""A module as an ONNX document, and several copies of one side by side in a single document."""

from __future__ import annotations

import io
import warnings

import torch
from torch import Tensor, nn


def export(module: nn.Module, inputs: tuple[Tensor, ...]) -> bytes:
    """Return the ONNX document of `module`, made by PyTorch's tracing exporter: inputs are `input_0`, `input_1`, ...

    An input that the module does not use is missing. The exporter's successor would need another package,
    `onnxscript`.
    """
    document = io.BytesIO()
    names = [f"input_{number}" for number in range(len(inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), inputs, document, dynamo=False, input_names=names)  # type: ignore[arg-type]
    return document.getvalue()


def side_by_side(document: bytes, copies: int) -> bytes:
    """Return a document of so many copies of `document`, the names of each prefixed: `copy_0_`, `copy_1_`, ...

    To copy a document is ten times as fast as to trace a module again. Copies have weights of their own.
    """
    import onnx

    single = onnx.load_from_string(document).graph
    whole = onnx.load_from_string(document)
    parts = ("node", "initializer", "input", "output")
    for part in (*parts, "value_info"):
        whole.graph.ClearField(part)
    for number in range(copies):
        twin = onnx.compose.add_prefix_graph(single, f"copy_{number}_")
        for part in parts:
            getattr(whole.graph, part).extend(getattr(twin, part))
    serialized: bytes = whole.SerializeToString()
    return serialized
