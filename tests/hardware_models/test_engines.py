"""PyTorch and ONNX Runtime behind one interface."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from hardware_models.engines import ENGINES, open_engine
from hardware_models.op import conv2d
from hardware_models.profiler import Network, measure, profile
from tests.hardware_models.small_networks import IMAGE, chain_network


class Counting(nn.Module):
    """Counts how often any copy of it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = CALLS

    def __deepcopy__(self, memo: object) -> Counting:
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images."""
        self.calls.append(tuple(images.stride()))
        return images


CALLS: list[tuple[int, ...]] = []


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_tells_its_name_and_version(name: str):
    engine = open_engine(name, 2)
    assert (engine.name, engine.threads) == (name, 2)
    assert engine.version[0].isdigit()


def test_torch_runs_every_copy_channels_last():
    CALLS.clear()
    prepared = open_engine("torch").prepare(Counting(), (torch.zeros(1, 3, 4, 4),), copies=3)
    prepared.call()
    assert prepared.runs == 3
    assert CALLS == [(48, 1, 12, 3)] * 3


def test_torch_runs_in_inference_mode_with_its_threads():
    with open_engine("torch", 1).session():
        assert torch.is_inference_mode_enabled()
        assert torch.get_num_threads() == 1
    assert not torch.is_inference_mode_enabled()


def test_onnx_runtime_times_operators_and_networks():
    small, large = conv2d((8, 8, 8), 8, 3), conv2d((64, 32, 32), 64, 3)
    table = profile([small, large], engine="onnxruntime", rounds=4)
    assert table.entries[large].latency_ms > 5 * table.entries[small].latency_ms > 0
    assert (table.provenance.engine, table.provenance.layout) == ("onnxruntime", "channels_first")
    assert set(table.provenance.software) == {"python", "torch", "onnxruntime"}


def test_onnx_runtime_measures_a_network():
    networks = [Network(chain_network(width, 3), IMAGE) for width in (8, 64)]
    small, large = measure(networks, engine="onnxruntime", rounds=4)
    assert large.latency_ms > 2 * small.latency_ms > 0


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ModuleNotFoundError, match=r"pip install 'symbolic-nas-search\[onnx\]', or use the engine 'torch'"
    ):
        open_engine("onnxruntime")


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="unknown engine 'cudnn'; expected one of torch, onnxruntime"):
        open_engine("cudnn")
