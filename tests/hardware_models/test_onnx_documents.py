"""ONNX documents of modules, and copies side by side."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from hardware_models.onnx_documents import export, side_by_side
from tests.hardware_models.small_networks import IMAGE, chain_network

onnxruntime = pytest.importorskip("onnxruntime")
IMAGES = torch.randn(1, *IMAGE, generator=torch.Generator().manual_seed(0))


class Second(nn.Module):
    """Uses one of two inputs."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return twice the second input."""
        return 2 * second


def session(document: bytes) -> object:
    """Return a session that runs the document."""
    return onnxruntime.InferenceSession(document, providers=["CPUExecutionProvider"])


def test_copies_compute_what_the_module_does():
    network = chain_network(4, 2).eval()
    running = session(side_by_side(export(network, (IMAGES,)), 3))
    assert [slot.name for slot in running.get_inputs()] == ["copy_0_input_0", "copy_1_input_0", "copy_2_input_0"]
    found = running.run(None, {slot.name: IMAGES.numpy() for slot in running.get_inputs()})
    with torch.inference_mode():
        expected = network(IMAGES)
    assert all(torch.allclose(torch.from_numpy(output), expected, atol=1e-4) for output in found)
    assert len(found) == 3


def test_an_input_that_is_not_used_is_missing():
    running = session(export(Second(), (IMAGES, IMAGES)))
    assert [slot.name for slot in running.get_inputs()] == ["input_1"]


def test_quantised_networks_agree_roughly():
    from hardware_models.onnxruntime_int8_engine import quantised

    network = chain_network(16, 2).eval()
    running = session(quantised(export(network, (IMAGES,)), [(IMAGES,)]))
    (found,) = running.run(None, {"input_0": IMAGES.numpy()})
    with torch.inference_mode():
        expected = network(IMAGES)
    assert torch.allclose(torch.from_numpy(found), expected, atol=0.1 * float(expected.abs().max()))
