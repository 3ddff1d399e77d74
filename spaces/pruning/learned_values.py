"""Values that a network learns and uses itself, in no layer: tokens, positions, biases of scores, as operators."""

from __future__ import annotations

from math import isqrt

from torch import fx

from spaces.pruning import kinds
from spaces.pruning.channels import Channels


class LearnedValues:
    """The nodes of a traced network that hang on its parameters and buffers alone."""

    def __init__(self, found: Channels) -> None:
        """Take a network's channels."""
        self._found = found
        self._of: dict[str, str] = {}
        for node in found.traced.graph.nodes:
            sources = [source for source in node.all_input_nodes if source.name in found.shapes]
            if node.op == "get_attr":
                self._of[node.name] = str(node.target)
            elif node.name in found.shapes and sources and all(source.name in self._of for source in sources):
                self._of[node.name] = self._of[sources[0].name]

    def __contains__(self, node: object) -> bool:
        return isinstance(node, fx.Node) and node.name in self._of

    def kind(self, node: fx.Node) -> str:
        """Return the kind of a node that puts learned values to others: a class token or positions.

        Raises:
          ValueError: for one that does something else.
        """
        name, shape = kinds.target_name(node), self._found.shapes[node.name]
        learned = next(source for source in node.all_input_nodes if source in self)
        if name in ("add", "iadd", "add_") and self._sides(learned) == shape[1:]:
            return "position_embedding"
        first = node.all_input_nodes[0] is learned and len(node.all_input_nodes) == 2
        if (
            name in kinds.JOINING
            and first
            and self._sides(learned) == shape[2:]
            and kinds.argument(node, 1, "dim") == 1
        ):
            return "class_token"
        raise ValueError(
            f"{self._of[learned.name]!r} is used outside of PyTorch's layers: its operator cannot be costed"
        )

    def is_position_bias(self, node: fx.Node, heads: int, keys: int) -> bool:
        """Return whether what is added to scores is learned for each head and offset in a square of tokens.

        Raises:
          ValueError: where something else is learned.
        """
        path = self._of.get(node.name)
        if path is None or path not in self._found.parameters:
            return False
        across = 2 * isqrt(keys) - 1
        if self._shape(path) != (heads, across, across):
            raise ValueError(f"{path!r} is no table of offsets in a square of {keys} tokens: it cannot be costed")
        return True

    def _sides(self, node: fx.Node) -> tuple[int, ...]:
        """Return the sides of the parameter behind a value, less those of 1 before them."""
        shape = list(self._shape(self._of[node.name]))
        while shape[:1] == [1]:
            shape = shape[1:]
        return tuple(shape)

    def _shape(self, path: str) -> tuple[int, ...]:
        parent, _, name = path.rpartition(".")
        return tuple(getattr(self._found.traced.get_submodule(parent), name).shape)
