"""Inference engines that a profiler times: what each of them is, and the ones there are, found by name."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import hardware_models
from hardware_models.clocks import Clock, cpu_clock
from hardware_models.device import Device, this_device

if TYPE_CHECKING:
    from torch import Tensor, nn

ENTRY_POINTS = "nas_search.engines"
"""The entry point group of other packages' engines: `name = "package.module:ClassName"`."""

_ENDING = "_engine"


class EngineUnavailable(ValueError):  # noqa: N818 - says what is missing
    """Raised by an engine that cannot run on this machine; the message says why and what to do."""


class Prepared(NamedTuple):
    """A call that runs a module so many times; it computes anew each time."""

    call: Callable[[], object]
    runs: int = 1


@dataclass(frozen=True)
class Engine(ABC):
    """Runs modules the way a deployed network would run; by default on this machine's CPU.

    The engine NAME is the class with `name = "NAME"` in `hardware_models/NAME_engine.py`, or an entry point of the
    group `nas_search.engines`. Making one raises `EngineUnavailable` or ModuleNotFoundError where it cannot run.

    Attributes:
      threads: that it computes with.
      name: what it is called on the command line and in a table.
      layout: of images in memory: `channels_last` or `channels_first`.
      dtype: what it computes in where that is not the operators' own type; None where it is.
    """

    threads: int = 1
    name: ClassVar[str]
    layout: ClassVar[str] = "channels_first"
    dtype: ClassVar[str | None] = None

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the engine's package."""

    @property
    def device(self) -> Device:
        """What it computes on."""
        return this_device()

    @property
    def clock(self) -> Clock:
        """What its calls are timed by."""
        return cpu_clock(self.threads)

    @property
    def cache_bytes(self) -> int:
        """What copies of an operator must fill lest it find its weights nearer than in a network: the nearer caches."""
        return 8 * 2**20

    @property
    def far_cache_bytes(self) -> int:
        """How much at most is written before a sample where a network's weights are more than `cache_bytes`."""
        return 32 * 2**20

    @property
    def swept_bytes(self) -> int:
        """How much memory at most is written before an operator's sample, as a network's other operators write it."""
        return 0

    @property
    def notes(self) -> Mapping[str, str]:
        """What else a table's provenance should tell of software and clocks, by name."""
        return {}

    def session(self) -> AbstractContextManager[None]:
        """Return a context in which prepared calls may be made; what it changes in the process is undone at its end."""
        return nullcontext()

    @abstractmethod
    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call that runs so many copies of `module` on copies of `inputs`, each in its own memory."""


def engine_names() -> tuple[str, ...]:
    """Return every engine's name, sorted, whether or not it can run here; no engine is imported."""
    own = (module.name for module in pkgutil.iter_modules(hardware_models.__path__))
    return tuple(sorted({name.removesuffix(_ENDING) for name in own if name.endswith(_ENDING)} | _outside().keys()))


def open_engine(name: str, threads: int = 1) -> Engine:
    """Return the engine of this name.

    Raises:
      ValueError: for an unknown name, or fewer than one thread.
      ModuleNotFoundError: when the engine's packages are not installed; the message says how to install them.
      EngineUnavailable: when this machine lacks something else that the engine needs, such as a GPU or a compiler.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    return _engine_class(name)(threads)


def unavailable(name: str) -> str | None:
    """Return why the engine `name` cannot run here, None where it can. Raises ValueError if there is no such engine."""
    kind = _engine_class(name)
    try:
        kind(1)
    except (EngineUnavailable, ModuleNotFoundError) as error:
        return str(error)
    return None


def _engine_class(name: str) -> type[Engine]:
    path = f"{hardware_models.__name__}.{name}{_ENDING}"
    if name.isidentifier() and importlib.util.find_spec(path) is not None:
        for value in vars(importlib.import_module(path)).values():
            if isinstance(value, type) and issubclass(value, Engine) and getattr(value, "name", None) == name:
                return value
    if name not in _outside():
        close = get_close_matches(name, engine_names(), n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown engine {name!r}; {hint}expected one of {', '.join(engine_names())}")
    loaded: Any = _outside()[name].load()
    if not (isinstance(loaded, type) and issubclass(loaded, Engine)):
        raise ValueError(f"entry point {name!r} of {ENTRY_POINTS} is {loaded!r}; expected a subclass of Engine")
    return loaded


def _outside() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}
