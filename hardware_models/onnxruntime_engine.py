"""ONNX Runtime on the CPU as an engine: the module's exported graph, all graph optimisations, inputs bound once."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hardware_models.engines import Prepared
from hardware_models.folding import fold


@dataclass(frozen=True, slots=True)
class OnnxRuntimeEngine:
    """ONNX Runtime's CPU provider with this many intra-operator threads, and one between operators.

    Raises:
      ModuleNotFoundError: where `onnx` or `onnxruntime` is not installed.
    """

    threads: int = 1
    name: ClassVar[str] = "onnxruntime"
    layout: ClassVar[str] = "channels_first"

    def __post_init__(self) -> None:
        _onnxruntime()

    @property
    def version(self) -> str:
        """The version of the package `onnxruntime`."""
        return str(_onnxruntime().__version__)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Change nothing: each session has threads of its own."""
        yield

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call of one session that holds all copies of `module`: entering a session costs 4 to 20 us.

        Outputs are written to memory of the engine's own.
        """
        runtime = _onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        document = export(SideBySide(fold(module), copies), inputs * copies)
        session = runtime.InferenceSession(document, options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        for slot, tensor in zip(session.get_inputs(), inputs * copies, strict=True):
            binding.bind_cpu_input(slot.name, tensor.numpy().copy())
        for slot in session.get_outputs():
            binding.bind_output(slot.name)
        return Prepared(partial(session.run_with_iobinding, binding), copies)


class SideBySide(nn.Module):
    """Copies of a module with inputs and outputs of their own, and weights that differ lest they be stored once."""

    def __init__(self, module: nn.Module, copies: int) -> None:
        super().__init__()
        self.copies = nn.ModuleList(copy.deepcopy(module) for _ in range(copies))
        for number, twin in enumerate(self.copies):
            for weight in twin.parameters():
                weight.data += 1e-6 * number

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return each copy's output; the inputs of the first copy come first."""
        arity = len(inputs) // len(self.copies)
        return tuple(twin(*inputs[arity * number : arity * (number + 1)]) for number, twin in enumerate(self.copies))


def export(module: nn.Module, inputs: tuple[Tensor, ...]) -> bytes:
    """Return the ONNX document of `module`, made by PyTorch's tracing exporter.

    Its successor would need another package, `onnxscript`.
    """
    document = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), inputs, document, dynamo=False)  # type: ignore[arg-type]
    return document.getvalue()


def _onnxruntime() -> Any:
    """Return the package; both it and the exporter's `onnx` must be there."""
    try:
        import onnx  # noqa: F401 - the exporter would fail late without it
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the engine 'onnxruntime' needs the package {error.name!r}, which is not installed; "
            "pip install 'symbolic-nas-search[onnx]', or use the engine 'torch'"
        ) from error
    return onnxruntime
