"""PyTorch's eager mode on an NVIDIA GPU as an engine: folded, channels last, timed by CUDA events.

Nothing is timed by the host: kernels run after the call that launches them has returned, so that a sample lies between
two events of the stream, and the second is waited for. Before each sample the second-level cache is overwritten, while
the host is already launching: without it an operator would find its weights there, as no network of some size does.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hardware_models.clocks import Clock, Sample
from hardware_models.device import Device, describe_gpu
from hardware_models.engines import EngineUnavailable, Prepared
from hardware_models.folding import fold
from hardware_models.torch_engine import TorchEngine, channels_last, entry, in_turn

LEAST_CACHE_BYTES = 4 * 2**20
"""Taken for the second-level cache where the driver does not tell its size."""


class CudaClock:
    """The time between two events of the current stream, the cache overwritten before the first."""

    name = "cuda"
    shortest_ms = 0.0  # events lie within the stream: there is nothing to spread over several calls

    def __init__(self, cache_bytes: int, cuda: Any = torch.cuda, device: str = "cuda") -> None:
        self._cuda = cuda
        self._sweep = torch.empty(2 * cache_bytes, dtype=torch.uint8, device=device)

    def sample(self, call: Callable[[], object], repeats: int) -> Sample:
        """Return the time on the device of so many calls; both events and all kernels are done when it returns."""
        first, last = (self._cuda.Event(enable_timing=True) for _ in range(2))
        self._cuda.synchronize()
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        self._sweep.zero_()
        first.record()
        for _ in range(repeats):
            call()
        last.record()
        last.synchronize()
        cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
        return Sample(first.elapsed_time(last) / repeats, wall / 1e6, cpu / 1e6, 0)


@dataclass(frozen=True)
class TorchCudaEngine(TorchEngine):
    """PyTorch on the current CUDA device. Raises EngineUnavailable where PyTorch finds none."""

    name: ClassVar[str] = "torch_cuda"

    def __post_init__(self) -> None:
        if not torch.cuda.is_available():
            raise EngineUnavailable(
                f"the engine 'torch_cuda' needs an NVIDIA GPU, and PyTorch {torch.__version__} finds none: install a "
                "build of PyTorch with CUDA and a driver, or use the engine 'torch'"
            )

    @property
    def device(self) -> Device:
        """The GPU."""
        told = torch.cuda.get_device_properties(torch.cuda.current_device())
        return describe_gpu(told.name, (told.major, told.minor), told.multi_processor_count, told.total_memory)

    @property
    def clock(self) -> Clock:
        """CUDA events."""
        return CudaClock(self.cache_bytes)

    @property
    def cache_bytes(self) -> int:
        """The size of the GPU's second-level cache."""
        told = torch.cuda.get_device_properties(torch.cuda.current_device())
        return max(int(getattr(told, "L2_cache_size", 0)), LEAST_CACHE_BYTES)

    @property
    def far_cache_bytes(self) -> int:
        """Nothing: the clock overwrites the cache."""
        return 0

    @property
    def swept_bytes(self) -> int:
        """Nothing: the clock overwrites the cache."""
        return 0

    @property
    def notes(self) -> Mapping[str, str]:
        """The versions of CUDA and cuDNN, and the clock that the streaming multiprocessors have now, if it is told."""
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        found = {"cuda": str(torch.version.cuda), "cudnn": str(cudnn)}
        try:
            found["sm_clock_mhz"] = str(torch.cuda.clock_rate())
        except Exception:  # needs a package for the driver's library, and a driver that answers it
            found["sm_clock_mhz"] = "unknown"
        return found

    @contextmanager
    def session(self) -> Iterator[None]:
        """Let cuDNN try its algorithms for each new shape, as a deployment would; put the setting back at the end."""
        before = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = True
        try:
            with super().session():
                yield
        finally:
            torch.backends.cudnn.benchmark = before

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call that launches all folded copies of `module` in turn on the GPU, and does not wait for them."""
        folded = fold(module).to(device="cuda", memory_format=torch.channels_last)  # type: ignore[call-overload]
        there = [channels_last(tensor).to("cuda") for tensor in inputs]
        return in_turn([partial(entry(copy.deepcopy(folded)), *map(channels_last, there)) for _ in range(copies)])
