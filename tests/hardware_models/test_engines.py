"""Inference engines behind one interface, found by name."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from hardware_models.device import this_device
from hardware_models.engines import Engine, EngineUnavailable, engine_names, open_engine, unavailable
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


def engine_or_skip(name: str, threads: int = 1) -> Engine:
    """Return the engine; where it cannot run here, skip and say why."""
    reason = unavailable(name)
    if reason is not None:
        pytest.skip(reason)
    return open_engine(name, threads)


def test_engines_are_found_by_their_files():
    assert {"onnxruntime", "onnxruntime_int8", "torch", "torch_compile", "torch_cuda"} <= set(engine_names())


@pytest.mark.parametrize("name", engine_names())
def test_an_engine_tells_its_name_and_version(name: str):
    engine = engine_or_skip(name, 2)
    assert (engine.name, engine.threads) == (name, 2)
    assert engine.version[0].isdigit()
    assert engine.layout in ("channels_first", "channels_last")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * ("compile" in name)) for name in engine_names()]
)
def test_an_engine_computes_anew_at_each_call(name: str):
    engine = engine_or_skip(name)
    with engine.session():
        small, large = (
            engine.prepare(chain_network(width, 2), (torch.zeros(1, *IMAGE),), copies=2) for width in (8, 96)
        )
        least = [min(engine.clock.sample(one.call, 3).cpu_ms for _ in range(5)) for one in (small, large)]
    assert (small.runs, large.runs) == (2, 2)
    assert least[1] > 2 * least[0]


@pytest.mark.parametrize("name", ["onnxruntime", "onnxruntime_int8", "torch", "torch_compile"])
def test_engines_of_the_cpu_compute_on_this_machine(name: str):
    engine = engine_or_skip(name)
    assert (engine.device, engine.clock.name) == (this_device(), "cpu")


def test_without_a_compiler_compiling_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert unavailable("torch_compile") is not None
    with pytest.raises(EngineUnavailable, match=r"needs a C\+\+ compiler, and none of .* use the engine 'torch'"):
        open_engine("torch_compile")


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


def test_eight_bit_integers_are_said_in_the_provenance():
    engine_or_skip("onnxruntime_int8")
    op = conv2d((16, 16, 16), 16, 3)
    table = profile([op], engine="onnxruntime_int8", rounds=2)
    assert (table.provenance.dtype, list(table.entries)) == ("int8", [op])


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match=r"unknown engine 'torhc'; did you mean 'torch'\? expected one of onnxru"):
        open_engine("torhc")


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        open_engine("torch", 0)
