"""The genotypes at given ranks of PyGlove's sweeping order, which is the lexicographic order of the rows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from spaces._columns import Cells, ChoiceNode, Layout, Node, Nodes
from spaces._sizes import selections

INT64_SAFE = 2**62
"""Ranks below are kept in int64; larger ones as Python integers in object arrays."""

BATCH_ROWS = 65_536
"""How many rows are made at once, which bounds the memory of the tables of weights."""


def genotypes_at(layout: Layout, start: int, count: int) -> Cells:
    """Return the genotypes of ranks `start` to `start + count`, shape (count, width), of a finite space."""
    out = np.tile(layout.defaults, (count, 1))
    for first in range(0, count, BATCH_ROWS):
        rows = min(BATCH_ROWS, count - first)
        ranks = np.arange(rows, dtype=np.int64)
        last = start + first + rows
        ranks = ranks + (start + first) if last < INT64_SAFE else ranks.astype(object) + (start + first)
        _fill(layout.nodes, ranks, out[first : first + rows], np.arange(rows), 0)
    return out


def _fill(nodes: Nodes, ranks: np.ndarray, out: Cells, rows: np.ndarray, offset: int) -> None:
    """Write the genotypes of `ranks` among `nodes` into `out[rows]`, with columns moved by `offset`."""
    for block, size in _blocks(nodes):
        digits = _compact(ranks % size, size)
        ranks = ranks // size
        for node in block:
            if isinstance(node, ChoiceNode):  # a float of one value is in the defaults already
                _fill_choice(node, _compact(digits % _size(node), _size(node)), out, rows, offset)
                digits = digits // _size(node)


def _blocks(nodes: Nodes) -> Iterator[tuple[list[Node], int]]:
    """Yield the nodes from the last to the first in runs whose sizes multiply to an int64 where possible."""
    block: list[Node] = []
    size = 1
    for node in reversed(nodes):
        if block and size * _size(node) >= INT64_SAFE:
            yield block, size
            block, size = [], 1
        block.append(node)
        size *= _size(node)
    yield block, size


def _size(node: Node) -> int:
    return node.size or 1


def _compact(ranks: np.ndarray, bound: int) -> np.ndarray:
    return ranks.astype(np.int64) if bound < INT64_SAFE else ranks


def _fill_choice(node: ChoiceNode, ranks: np.ndarray, out: Cells, rows: np.ndarray, offset: int) -> None:
    """Write one choice: at each position the candidate, what is below it, then the rest of the rank goes on."""
    sizes = [size or 1 for size in node.sizes]
    chosen = np.zeros((len(rows), 0), np.intp)
    for position in range(node.count):
        tails, allowed = _tails(node, sizes, chosen)
        choice, ranks = _locate(ranks, np.where(allowed, tails * np.array(sizes, object), 0), _size(node))
        tail = tails[np.arange(len(tails)) if len(tails) > 1 else 0, choice]
        tail = tail.astype(np.int64) if _size(node) < INT64_SAFE else tail
        shift = offset + position * node.stride
        out[rows, node.column + shift] = choice
        for value, candidate in enumerate(node.candidates):
            at = (choice == value).nonzero()[0] if candidate else ()
            if len(at):
                _fill(candidate, _compact((ranks // tail)[at], sizes[value]), out, rows[at], shift)
        ranks = ranks % tail
        chosen = np.column_stack([chosen, choice])


def _locate(ranks: np.ndarray, weights: np.ndarray, bound: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the candidate in whose share of `weights`, (n or 1, candidates), each rank lies, and the rank in there."""
    weights = _compact(weights, bound)
    ends = weights.cumsum(axis=1)
    starts = ends - weights
    if len(weights) == 1:
        choice = np.searchsorted(ends[0], ranks, side="right")
        return choice, ranks - starts[0][choice]
    choice = (ranks[:, None] >= ends).sum(axis=1).astype(np.intp)
    return choice, ranks - starts[np.arange(len(choice)), choice]


def _tails(node: ChoiceNode, sizes: list[int], chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many selections follow each candidate after each row's `chosen`, and which candidates may follow.

    Both have shape (n, candidates), or (1, candidates) where all rows are alike. A tail is at least 1.
    """
    left = node.count - chosen.shape[1] - 1
    values = np.arange(len(sizes))
    allowed = np.ones((1, len(sizes)), bool)
    if node.sorted:
        rests = [sizes[value + node.distinct :] for value in values]
        tails = np.array([[selections(rest, left, distinct=node.distinct, ordered=True) for rest in rests]], object)
        if chosen.shape[1]:
            allowed = values >= chosen[:, -1:] + node.distinct
    elif node.distinct:
        if chosen.shape[1]:
            allowed = np.ones((len(chosen), len(sizes)), bool)
            np.put_along_axis(allowed, chosen, False, axis=1)
        tails = _distinct_tails(sizes, allowed, left)
    else:
        tails = np.full((1, len(sizes)), sum(sizes) ** left, object)
    allowed = allowed & (tails > 0)
    return np.where(allowed, tails, 1), allowed


def _distinct_tails(sizes: list[int], allowed: np.ndarray, left: int) -> np.ndarray:
    """Return the ways to make `left` more distinct choices in any order after each candidate."""
    if len(set(sizes)) == 1:
        free = int(allowed[0].sum()) - 1
        return np.full((1, len(sizes)), math.perm(free, left) * sizes[0] ** left, object)
    patterns, which = np.unique(allowed, axis=0, return_inverse=True)
    table = np.zeros(patterns.shape, object)
    for index, pattern in enumerate(patterns):
        rest = [size if free else 0 for size, free in zip(sizes, pattern, strict=True)]
        for value in pattern.nonzero()[0]:
            others = rest[:value] + rest[value + 1 :]
            table[index, value] = selections(others, left, distinct=True, ordered=False)
    return table[which.reshape(len(allowed))]
