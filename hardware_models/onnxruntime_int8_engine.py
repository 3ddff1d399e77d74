"""ONNX Runtime in 8-bit integers on the CPU: static quantisation, as quantise-dequantise pairs that its kernels absorb.

Weights are quantised a channel at a time, activations a tensor at a time (Jacob et al., CVPR 2018, section 2), their
ranges taken from a run on calibration inputs. What ONNX Runtime has no integer kernel for stays in floating point.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from hardware_models.onnx_documents import export
from hardware_models.onnxruntime_engine import OnnxRuntimeEngine


@dataclass(frozen=True)
class OnnxRuntimeInt8Engine(OnnxRuntimeEngine):
    """ONNX Runtime's CPU provider on quantised networks, calibrated on the random inputs that they are timed with."""

    name: ClassVar[str] = "onnxruntime_int8"
    dtype: ClassVar[str | None] = "int8"

    def _document(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> bytes:
        return quantised(export(module, inputs), [inputs])


def quantised(document: bytes, calibration: list[tuple[Tensor, ...]]) -> bytes:
    """Return the ONNX document in 8-bit integers where it can be; `calibration` inputs set the activations' ranges."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    model = onnx.load_from_string(document)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands out one set of inputs after another."""

        def __init__(self) -> None:
            names = [slot.name for slot in model.graph.input]
            self._left = iter(
                {name: tensors[int(name.rpartition("_")[2])].numpy() for name in names} for tensors in calibration
            )

        def get_next(self) -> dict[str, Any] | None:
            """Return the next inputs by name, None after the last."""
            return next(self._left, None)

    with tempfile.TemporaryDirectory() as folder, _silent():
        path = str(Path(folder) / "quantised.onnx")
        quantize_static(
            model, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        return Path(path).read_bytes()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the quantiser's advice on preprocessing, which folded networks do not need, off the log, and warnings."""
    import onnxruntime

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(3)
    try:
        yield
    finally:
        logging.disable(before)
        onnxruntime.set_default_logger_severity(2)  # what it is by default; it cannot be asked for
