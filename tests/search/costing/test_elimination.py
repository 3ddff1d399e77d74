"""Elimination of a graph's vertices."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.costing.elimination import eliminate


def graph(size: int, *edges: tuple[int, int]) -> np.ndarray:
    adjacent = np.zeros((size, size), bool)
    for one, other in edges:
        adjacent[one, other] = adjacent[other, one] = True
    return adjacent


def test_vertices_without_edges_stand_alone() -> None:
    assert eliminate(graph(3)) == [(0,), (1,), (2,)]


def test_a_chain_is_taken_apart_from_its_end() -> None:
    assert eliminate(graph(4, (0, 1), (1, 2), (2, 3))) == [(0, 1), (1, 2), (2, 3), (3,)]


def test_a_ring_needs_one_edge_more() -> None:
    assert eliminate(graph(4, (0, 1), (1, 2), (2, 3), (3, 0))) == [(0, 1, 3), (1, 2, 3), (2, 3), (3,)]


pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda pair: pair[0] != pair[1]))


@given(pairs, st.integers(0, 2**32))
def test_a_function_of_edges_is_the_sum_over_parts(edges: list[tuple[int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 100, (7, 7, 3, 3))
    base, point = rng.integers(0, 3, 7), rng.integers(0, 3, 7)

    def function(chosen: tuple[int, ...]) -> int:
        mixed = np.where(np.isin(np.arange(7), chosen), point, base)
        return int(sum(values[one, other, mixed[one], mixed[other]] for one, other in edges))

    parts = eliminate(graph(7, *edges))
    expanded = function(()) + sum(function(part) - function(part[1:]) for part in parts)
    assert expanded == function(tuple(range(7)))
