"""Elimination of a graph's vertices one after another: what makes a function of cliques a sum of small tables.

Once a vertex is taken out, its neighbours are joined. A function that adds up from functions of the graph's cliques is
then a constant and one function for each vertex, of the vertex and the neighbours that it had when it was taken out
(Lauritzen, Graphical Models, 1996, section 2.1: a perfect numbering of the triangulated graph).
"""

from __future__ import annotations

import numpy as np


def eliminate(adjacent: np.ndarray) -> list[tuple[int, ...]]:
    """Return each vertex followed by its neighbours when it is taken out; the one that adds the fewest edges is next.

    Args:
      adjacent: shape (n, n), bool, symmetric, False on the diagonal. Ties go to the lower degree, then to the number.
    """
    left = adjacent.astype(np.float64)
    alive = np.ones(len(left), bool)
    found = []
    for _ in range(len(left)):
        degrees = left.sum(axis=1)
        missing = degrees * (degrees - 1) - ((left @ left) * left).sum(axis=1)
        vertex = int(np.lexsort((degrees, np.where(alive, missing, np.inf)))[0])
        neighbours = left[vertex].nonzero()[0]
        found.append((vertex, *neighbours.tolist()))
        left[np.ix_(neighbours, neighbours)] = 1.0
        left[neighbours, neighbours] = 0.0
        left[vertex] = left[:, vertex] = 0.0
        alive[vertex] = False
    return found
