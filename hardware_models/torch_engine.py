"""PyTorch's eager mode on the CPU as an engine: batch norms folded, identities left out, channels last."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, fx, nn

from hardware_models.engines import Engine, Prepared
from hardware_models.folding import fold

LARGE_BYTES = 31 * 2**20
"""Just below the size from which on glibc's allocator always asks the system for memory."""


@dataclass(frozen=True)
class TorchEngine(Engine):
    """PyTorch on the CPU in inference mode."""

    name: ClassVar[str] = "torch"
    layout: ClassVar[str] = "channels_last"

    @property
    def version(self) -> str:
        """The version of PyTorch."""
        return str(torch.__version__)

    @property
    def swept_bytes(self) -> int:
        """The size of a usual far cache: each operator writes features anew, which sweep it once in a network."""
        return 32 * 2**20

    @contextmanager
    def session(self) -> Iterator[None]:
        """Set PyTorch's threads and inference mode; put the number of threads back at the end.

        The allocator is put into the state that it reaches by itself in a process that has run for a while.
        """
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        _settle_allocator()
        try:
            with torch.inference_mode():
                yield
        finally:
            torch.set_num_threads(before)

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call of all folded copies of `module` in turn; images are laid out channels last."""
        folded = fold(module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return in_turn([partial(entry(copy.deepcopy(folded)), *map(channels_last, inputs)) for _ in range(copies)])


def _settle_allocator() -> None:
    """Free a large block once, so that smaller ones are kept from now on rather than mapped anew at each call.

    glibc returns a block above a threshold to the system, and each page of the next one then costs a fault: networks
    with features of 10 MB take twice as long. Freeing such a block raises the threshold, so that otherwise a network's
    latency would hang on what ran before it.
    """
    torch.empty(LARGE_BYTES, dtype=torch.uint8)


def in_turn(calls: list[Callable[[], object]]) -> Prepared:
    """Return one call of all these calls."""

    def call_all() -> None:
        for call in calls:
            call()

    return Prepared(calls[0] if len(calls) == 1 else call_all, len(calls))


def entry(module: nn.Module) -> Callable[..., object]:
    """Return what to call: a traced module's own code, as calling the module adds three calls that no network makes."""
    return module.forward if isinstance(module, fx.GraphModule) else module


def channels_last(tensor: Tensor) -> Tensor:
    """Return a copy in which the channels of images lie side by side."""
    layout = torch.channels_last if tensor.dim() == 4 else torch.contiguous_format
    return tensor.clone(memory_format=layout)
