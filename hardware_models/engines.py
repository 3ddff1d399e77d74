"""Inference engines that a profiler times: the interface, and the ones there are by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

ENGINES = ("torch", "onnxruntime")


class Prepared(NamedTuple):
    """A call that runs a module so many times; it computes anew each time, and returns when it is done."""

    call: Callable[[], object]
    runs: int = 1


class Engine(Protocol):
    """Runs modules the way a deployed network would run.

    Attributes:
      name: as in `ENGINES`.
      version: of the engine's package.
      threads: that it computes with.
      layout: of images in memory: `channels_last` or `channels_first`.
    """

    @property
    def name(self) -> str:
        """The engine's name in `ENGINES`."""

    @property
    def version(self) -> str:
        """The version of the engine's package."""

    @property
    def threads(self) -> int:
        """The threads that it computes with."""

    @property
    def layout(self) -> str:
        """How images lie in memory."""

    def session(self) -> AbstractContextManager[None]:
        """Return a context in which prepared calls may be made; what it changes in the process is undone at its end."""

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call that runs so many copies of `module` on copies of `inputs`, each in its own memory."""


def open_engine(name: str, threads: int = 1) -> Engine:
    """Return the engine of this name.

    Raises:
      ValueError: for an unknown name, or fewer than one thread.
      ModuleNotFoundError: when the engine's packages are not installed; the message says how to install them.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    if name == "torch":
        from hardware_models.torch_engine import TorchEngine

        return TorchEngine(threads)
    if name == "onnxruntime":
        from hardware_models.onnxruntime_engine import OnnxRuntimeEngine

        return OnnxRuntimeEngine(threads)
    raise ValueError(f"unknown engine {name!r}; expected one of {', '.join(ENGINES)}")
