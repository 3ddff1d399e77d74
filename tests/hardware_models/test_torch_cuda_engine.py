"""PyTorch on a GPU: the order of what its clock does, and, where there is a GPU, the engine itself."""

from __future__ import annotations

import pytest
import torch

from hardware_models.device import describe_gpu
from hardware_models.engines import EngineUnavailable, open_engine
from hardware_models.op import conv2d
from hardware_models.profiler import Network, measure, profile
from hardware_models.torch_cuda_engine import CudaClock
from tests.hardware_models.small_networks import IMAGE, chain_network

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU, and PyTorch finds none")


class Stream:
    """Writes down what is asked of a stream, and of events whose times are one millisecond apart."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def synchronize(self) -> None:
        self.log.append("wait for the device")

    def Event(self, enable_timing: bool) -> StreamEvent:
        assert enable_timing
        return StreamEvent(self.log)


class StreamEvent:
    """An event of a `Stream`."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def record(self) -> None:
        self._log.append("record")

    def synchronize(self) -> None:
        self._log.append("wait for the event")

    def elapsed_time(self, last: StreamEvent) -> float:
        return 6.0


def test_a_sample_lies_between_two_events_and_waits_for_the_second():
    stream = Stream()
    sample = CudaClock(64, stream, "cpu").sample(lambda: stream.log.append("launch"), 2)
    assert stream.log == ["wait for the device", "record", "launch", "launch", "record", "wait for the event"]
    assert (sample.elapsed_ms, sample.switches) == (3.0, 0)


def test_the_cache_is_overwritten_before_each_sample():
    clock = CudaClock(64, Stream(), "cpu")
    clock._sweep.fill_(7)
    seen: list[int] = []
    clock.sample(lambda: seen.append(int(clock._sweep.sum())), 1)
    assert seen == [0]
    assert clock._sweep.nbytes == 128


def test_a_gpu_is_a_device():
    gpu = describe_gpu("NVIDIA H100 80GB HBM3", (9, 0), 132, 85 * 10**9)
    assert gpu.id.startswith("gpu-h100-80gb-hbm3-")
    assert (gpu.name, gpu.machine) == ("NVIDIA H100 80GB HBM3, 132 multiprocessors, 79 GiB", "sm_90")


def test_equal_gpus_have_one_fingerprint():
    first, same, other = (describe_gpu("NVIDIA T4", (7, 5), count, 16 * 10**9) for count in (40, 40, 20))
    assert first == same
    assert first.fingerprint != other.fingerprint


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_engine_says_what_to_do():
    with pytest.raises(EngineUnavailable, match=r"needs an NVIDIA GPU, .* or use the engine 'torch'"):
        open_engine("torch_cuda")


@needs_gpu
def test_a_larger_convolution_takes_longer_on_the_gpu():
    small, large = conv2d((8, 8, 8), 8, 3), conv2d((256, 112, 112), 256, 3)
    table = profile([small, large], engine="torch_cuda", batch=8, rounds=4)
    assert table.entries[large].latency_ms > 5 * table.entries[small].latency_ms > 0
    assert (table.provenance.clock, table.provenance.device[:4]) == ("cuda", "gpu-")
    assert set(table.provenance.software) == {"python", "torch", "torch_cuda", "cuda", "cudnn", "sm_clock_mhz"}


@needs_gpu
def test_a_network_is_measured_on_the_gpu():
    small, large = measure(
        [Network(chain_network(width, 3), IMAGE) for width in (8, 512)], engine="torch_cuda", batch=64, rounds=4
    )
    assert large.latency_ms > 2 * small.latency_ms > 0
