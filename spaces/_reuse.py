"""Objects that are built once for each setting of their own decisions, for values that are read and dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from spaces._columns import FloatNode, Node, Nodes

MOST_REMEMBERED = 2_048
"""Settings of one object's decisions; beyond that the memory is emptied."""

Builder = Callable[[Sequence[Any], int], Any]


class Remaining(Iterator[Node]):
    """The decisions of a value that are still to be compiled, in order.

    Attributes:
      reuse: whether objects are to be built once for each setting of their decisions.
      whole: whether no object has been compiled yet: the outermost one has a setting for each genotype.
      taken: the decisions that are compiled.
    """

    def __init__(self, nodes: Nodes, *, reuse: bool, whole: bool = False) -> None:
        self.reuse, self.whole = reuse, whole
        self.taken: list[Node] = []
        self._nodes = iter(nodes)

    def __next__(self) -> Node:
        self.taken.append(next(self._nodes))
        return self.taken[-1]

    def below(self, nodes: Nodes) -> Remaining:
        """Return the decisions of a candidate."""
        return Remaining(nodes, reuse=self.reuse)


def remembering(build: Builder, decisions: Sequence[Node]) -> Builder:
    """Return what builds an object of these decisions, or takes the one that it built before out of its parent."""
    start, stop = (decisions[0].column, _stop(decisions[-1])) if decisions else (0, 0)
    memory: dict[tuple[Any, ...], Any] = {}

    def build_once(row: Sequence[Any], offset: int) -> Any:
        key = (offset, *row[start + offset : stop + offset])
        found = memory.get(key)
        if found is not None:
            found.sym_setparent(None)  # an object that has a parent is cloned when it is put into another
            return found
        if len(memory) >= MOST_REMEMBERED:
            memory.clear()
        memory[key] = found = build(row, offset)
        return found

    return build_once


def _stop(node: Node) -> int:
    return node.column + (1 if isinstance(node, FloatNode) else node.stride * node.count)
