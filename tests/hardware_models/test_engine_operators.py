"""Operators of every kind in the engines: what they run computes what the module does."""

from __future__ import annotations

import pytest
import torch

from hardware_models.folding import fold
from hardware_models.onnxruntime_engine import export
from hardware_models.op import Op
from hardware_models.torch_engine import TorchEngine
from hardware_models.torch_ops import build, example_inputs
from tests.hardware_models.every_kind import OPS


@pytest.mark.parametrize("op", OPS, ids=str)
def test_a_folded_operator_computes_the_same(op: Op):
    module, inputs = build(op), example_inputs(op, 2, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(fold(module)(*inputs), module(*inputs), atol=1e-5)


@pytest.mark.parametrize("op", OPS, ids=str)
def test_onnx_runtime_computes_the_same(op: Op):
    onnxruntime = pytest.importorskip("onnxruntime")
    module, inputs = build(op), example_inputs(op, 1, torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(export(fold(module), inputs), providers=["CPUExecutionProvider"])
    feed = {slot.name: value.numpy() for slot, value in zip(session.get_inputs(), inputs, strict=True)}
    with torch.inference_mode():
        expected = module(*inputs)
    assert torch.allclose(torch.from_numpy(session.run(None, feed)[0]), expected, atol=1e-4)


@pytest.mark.parametrize("op", OPS, ids=str)
def test_pytorch_runs_it_channels_last(op: Op):
    engine = TorchEngine()
    module, inputs = build(op).eval(), example_inputs(op, 1, torch.Generator().manual_seed(0))
    with engine.session(), torch.inference_mode():
        found = engine.prepare(module, inputs).call()
        assert isinstance(found, torch.Tensor)
        assert torch.allclose(found, module(*inputs), atol=1e-4)
