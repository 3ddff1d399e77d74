"""PyTorch's compiler on the CPU as an engine: `torch.compile` of the folded module, channels last.

Compiling takes seconds for an operator and half a minute for a network, on one core; with one thread the result was no
faster than eager mode channels last on the machine where this was written. It needs a C++ compiler.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hardware_models.engines import EngineUnavailable, Prepared
from hardware_models.folding import fold
from hardware_models.torch_engine import TorchEngine, channels_last, in_turn

MOST = 2**20
COMPILERS = ("g++", "clang++", "c++", "gcc")


@dataclass(frozen=True)
class TorchCompileEngine(TorchEngine):
    """PyTorch's default compiler, Inductor. Raises EngineUnavailable where no C++ compiler is found."""

    name: ClassVar[str] = "torch_compile"

    def __post_init__(self) -> None:
        if not any(map(shutil.which, COMPILERS)):
            raise EngineUnavailable(
                f"the engine 'torch_compile' needs a C++ compiler, and none of {', '.join(COMPILERS)} is on the path; "
                "install one, or use the engine 'torch'"
            )

    @contextmanager
    def session(self) -> Iterator[None]:
        """As PyTorch's; without a limit, beyond which modules of one class would silently run uncompiled."""
        import torch._dynamo.config as dynamo

        most: dict[str, Any] = {"recompile_limit": MOST, "accumulated_recompile_limit": MOST}
        with super().session(), dynamo.patch(**most, fail_on_recompile_limit_hit=True):
            yield

    def prepare(self, module: nn.Module, inputs: tuple[Tensor, ...], copies: int = 1) -> Prepared:
        """Return a call of all compiled copies of `module` in turn; each is compiled here, for these shapes alone.

        Raises:
          EngineUnavailable: where the compiler fails.
        """
        folded = fold(module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        compiled = (torch.compile(copy.deepcopy(folded), dynamic=False) for _ in range(copies))
        prepared = in_turn([partial(twin, *map(channels_last, inputs)) for twin in compiled])
        try:
            with torch.inference_mode():
                prepared.call()
        except Exception as error:  # whatever the compiler, its linker or its loader may raise
            reason = next(iter(str(error).split("\n")), "") or type(error).__name__
            raise EngineUnavailable(
                f"the engine 'torch_compile' cannot compile a {type(module).__name__} here: {reason}"
            ) from error
        return prepared
