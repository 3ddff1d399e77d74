"""ONNX Runtime on the CPU as an engine: the module's exported graph, all graph optimisations, inputs bound once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hardware_models.engines import Engine, Prepared
from hardware_models.folding import fold
from hardware_models.onnx_documents import export, side_by_side


@dataclass(frozen=True)
class OnnxRuntimeEngine(Engine):
    """ONNX Runtime's CPU provider with this many intra-operator threads, and one between operators.

    Raises:
      ModuleNotFoundError: where `onnx` or `onnxruntime` is not installed.
    """

    name: ClassVar[str] = "onnxruntime"

    def __post_init__(self) -> None:
        _onnxruntime()

    @property
    def version(self) -> str:
        """The version of the package `onnxruntime`."""
        return str(_onnxruntime().__version__)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Give PyTorch one thread, as the exporter runs each module once: more would fight with what is timed."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call of one session that holds all copies of `module`: entering a session costs 4 to 20 us.

        Outputs are written to memory of the engine's own.
        """
        document = side_by_side(self._document(fold(module), inputs), copies)
        return Prepared(_bound(document, inputs, self.threads), copies)

    def _document(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> bytes:
        return export(module, inputs)


def _bound(document: bytes, inputs: tuple[Tensor, ...], threads: int) -> partial[object]:
    """Return a run of the document on copies of `inputs`; a slot's name ends with its input's number."""
    runtime = _onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"  # a session keeps a document that it is given in memory
        path.write_bytes(document)
        session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for slot in session.get_inputs():
        binding.bind_cpu_input(slot.name, inputs[int(slot.name.rpartition("_")[2])].numpy().copy())
    for slot in session.get_outputs():
        binding.bind_output(slot.name)
    return partial(session.run_with_iobinding, binding)


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
