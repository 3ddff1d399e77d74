"""Calls of scaled dot-product attention with the views around them, which are no operators of their own."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from torch import fx

from spaces.pruning import kinds
from spaces.pruning.channels import Channels

TOKENS = 3
"""The axes of tokens (n, tokens, channels); with heads apart there are more."""


@dataclass(frozen=True, slots=True)
class Attended:
    """One attention.

    Attributes:
      sources: the values with queries, keys and values, or one that has all three side by side. Each is of tokens, or
        has its heads apart where something else than views lies between.
      mask: what is added to the scores, or None.
      end: the node whose value is the result, of tokens or with its heads apart.
      views: the nodes between sources and end.
    """

    sources: tuple[fx.Node, ...]
    mask: fx.Node | None
    end: fx.Node
    views: frozenset[fx.Node]


def attended(call: fx.Node, found: Channels) -> Attended:
    """Return what a call of attention reads and makes."""
    bound = kinds.attention_arguments(call)
    parts = [bound[name] for name in ("query", "key", "value")]
    ways = [_back(part, found) for part in parts]
    end, after = _forth(call, found)
    sources, numbers = [source for source, _ in ways], [_numbers(part, found) for part in parts]
    between = {node for _, way in ways for node in way}
    users = {user for node in between for user in node.users} - between - {call}
    packed = sources[0] is sources[1] is sources[2] and _numbers(sources[0], found) == sum(numbers)
    whole = packed or [_numbers(source, found) for source in sources] == numbers
    alone = not any(user.name in found.shapes for user in users)
    if not (whole and alone) or any(len(found.shapes[source.name]) != TOKENS for source in sources):
        sources, between = parts, set()
    elif packed:
        sources = sources[:1]
    return Attended(tuple(sources), bound["attn_mask"], end, frozenset([*between, *after]))


def _numbers(node: fx.Node, found: Channels) -> int:
    return prod(found.shapes[node.name])


def _is_view(node: fx.Node) -> bool:
    return node.op in ("call_function", "call_method") and kinds.target_name(node) in (*kinds.VIEWS, "contiguous")


def _back(node: fx.Node, found: Channels) -> tuple[fx.Node, list[fx.Node]]:
    """Return the tokens that queries, keys or values are a view of, and what leads from there."""
    way = []
    while _is_view(node) and len(found.shapes.get(node.name, ())) != TOKENS:
        way.append(node)
        node = node.all_input_nodes[0]
    return node, way


def _forth(call: fx.Node, found: Channels) -> tuple[fx.Node, list[fx.Node]]:
    """Return the tokens that alone are made of what is attended to, and what leads there; the call where none are."""
    node, way = call, list[fx.Node]()
    while len(found.shapes[node.name]) > TOKENS:
        users = [user for user in node.users if user.name in found.shapes]
        if len(users) != 1 or not _is_view(users[0]):
            return call, []
        node = users[0]
        way.append(node)
    return node, way
