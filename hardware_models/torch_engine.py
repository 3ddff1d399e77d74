"""PyTorch's eager mode as an engine: batch norms folded, identities left out, channels last, inference mode."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, fx, nn

from hardware_models.engines import Prepared
from hardware_models.folding import fold


@dataclass(frozen=True, slots=True)
class TorchEngine:
    """PyTorch on the CPU with this many threads."""

    threads: int = 1
    name: ClassVar[str] = "torch"
    layout: ClassVar[str] = "channels_last"
    version: ClassVar[str] = str(torch.__version__)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Set PyTorch's threads and inference mode; put the number of threads back at the end."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                yield
        finally:
            torch.set_num_threads(before)

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call of all folded copies of `module` in turn; images are laid out channels last."""
        folded = fold(module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        calls = [partial(_entry(copy.deepcopy(folded)), *map(_channels_last, inputs)) for _ in range(copies)]

        def call_all() -> None:
            for call in calls:
                call()

        return Prepared(calls[0] if copies == 1 else call_all, copies)


def _entry(module: nn.Module) -> Callable[..., object]:
    """Return what to call: a traced module's own code, as calling the module adds three calls that no network makes."""
    return module.forward if isinstance(module, fx.GraphModule) else module


def _channels_last(tensor: Tensor) -> Tensor:
    """Return a copy in which the channels of images lie side by side."""
    layout = torch.channels_last if tensor.dim() == 4 else torch.contiguous_format
    return tensor.clone(memory_format=layout)
