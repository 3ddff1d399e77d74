"""A network as a graph, as `torch.fx` traces it when it is given its inputs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import fx, nn


def trace(model: nn.Module) -> fx.GraphModule:
    """Return the graph of a model. What its forward has a default for beside its first input, such as a mask, has that.

    Raises what the forward raises, and what `torch.fx` does where steps hang on the values of tensors.
    """
    tracer = _Tracer()
    return fx.GraphModule(model, tracer.trace(model), type(model).__name__)


class _Tracer(fx.Tracer):
    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        function, arguments = super().create_args_for_root(root_fn, is_module, concrete_args)
        return function, [*arguments[:2], *map(self._default, arguments[2:])]  # the module and its input come first

    def _default(self, argument: Any) -> Any:
        if not isinstance(argument, fx.Proxy) or not argument.node.args:
            return argument
        self.graph.erase_node(argument.node)
        return argument.node.args[0]
