"""The peak of live tensors in a real forward pass: every storage that PyTorch makes is watched until it is freed."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hardware_models.folding import fold


class LiveTensors(TorchDispatchMode):
    """Watches storages; `peak` is the largest sum of bytes that were alive just after an operator ran."""

    def __init__(self, inputs: Tensor) -> None:
        super().__init__()
        self.peak = inputs.untyped_storage().nbytes()
        self._alive = {StorageWeakRef(inputs.untyped_storage()): self.peak}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operator, note its outputs' storages, and drop those that are gone."""
        found = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(found):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if not self._is_parameter(tensor, args):
                    self._alive.setdefault(StorageWeakRef(storage), storage.nbytes())
        self._alive = {reference: size for reference, size in self._alive.items() if not reference.expired()}
        self.peak = max(self.peak, sum(self._alive.values()))
        return found

    def _is_parameter(self, tensor: Tensor, args: Any) -> bool:
        """Return whether an output is a view of a weight, e.g. the transpose of a linear layer's."""
        held = (arg for arg in tree_leaves(args) if isinstance(arg, nn.Parameter))
        return any(arg.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr() for arg in held)


def measured_peak(network: nn.Module, shape: tuple[int, ...], *, in_place: bool) -> int:
    """Return the peak of one forward pass on the CPU in which each value is freed after its last use.

    With `in_place` norms are folded into convolutions, and activations and sums write over their first input.
    """
    traced = fold(network.eval()) if in_place else fx.symbolic_trace(network.eval())
    if in_place:
        for part in traced.modules():
            if hasattr(part, "inplace"):
                part.inplace = True
        for node in traced.graph.nodes:
            node.target = operator.iadd if node.target is operator.add else node.target
    values = {next(iter(traced.graph.nodes)): torch.randn(1, *shape)}  # the interpreter's own: nothing else holds them
    with torch.inference_mode(), LiveTensors(*values.values()) as live:
        fx.Interpreter(traced).run(initial_env=values)
    return live.peak
