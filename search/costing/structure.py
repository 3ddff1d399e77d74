"""Which variables of a space act on its operators together, and what follows: a network's operators from others' ones.

Let F be the operators of a genotype, counted, and b a base genotype. If F adds up from functions of few variables each,
and every two variables of one such function are neighbours in a graph, then for the graph's elimination (see
`search.costing.elimination`) into variables v with neighbours N(v), and any genotype x,

    F(x) = F(b) + sum over v of  F(b with x at v and N(v)) - F(b with x at N(v)),

the expansion around b (anchored decomposition: Kuo, Sloan, Wasilkowski and Wozniakowski, Math. Comp. 79, 2010) summed
along the elimination. Each summand depends on v and N(v) alone, so that it can be tabulated.
"""

from __future__ import annotations

from math import prod

import numpy as np

from search.costing.domain import Domain, NotCompilableError
from search.costing.elimination import eliminate
from search.costing.probe import Probe

MOST_CELLS = 1 << 20
"""Of all tables together."""


class Structure:
    """A graph of a domain's variables and a base genotype.

    Attributes:
      base: shape (width,).
      adjacent: (variables, variables) bool: which act together. Floats are taken to act on nothing.
      parts: each variable that is no float, followed by its neighbours when it is eliminated.
      cells: how many values the parts' variables can have together, over all parts.
    """

    def __init__(self, domain: Domain, base: np.ndarray, adjacent: np.ndarray) -> None:
        self.domain, self.base, self.adjacent = domain, base, adjacent
        finite = np.array([index for index, each in enumerate(domain.variables) if len(each.values)], np.intp)
        eliminated = eliminate(adjacent[np.ix_(finite, finite)])
        self.parts: tuple[tuple[int, ...], ...] = tuple(tuple(finite[list(part)].tolist()) for part in eliminated)
        sizes = [len(each.values) for each in domain.variables]
        self.cells = sum(prod(sizes[index] for index in part) for part in self.parts)
        with_own = [self._columns(part) for part in self.parts]
        self._masks = np.array([with_own, [self._columns(part[1:]) for part in self.parts]]).swapaxes(0, 1)

    def foresees(self, probe: Probe, row: np.ndarray) -> bool:
        """Return whether a genotype's operators are what the structure says."""
        return not self._unforeseen(probe, row, range(len(self.domain.variables)))

    def joined(self, variables: list[int]) -> Structure:
        """Return the structure in which these variables act together too."""
        adjacent = self.adjacent.copy()
        adjacent[np.ix_(variables, variables)] = True
        np.fill_diagonal(adjacent, False)
        return Structure(self.domain, self.base, adjacent)

    def conflict(self, probe: Probe, row: np.ndarray) -> list[int]:
        """Return variables that act together and are not all neighbours, as few as can be had from an unforeseen `row`.

        Those of the row's variables that can be put back to the base one by one, or some at a time, are; what is left
        is still not foreseen.

        Raises:
          NotCompilableError: when a float acts on the operators, or the operators of a genotype change.
        """
        differs = row != self.base
        kept = [index for index, each in enumerate(self.domain.variables) if differs[list(each.columns)].any()]
        size, before = len(kept), 0
        while size > 1 or len(kept) != before:
            size, before, start = max(size // 2, 1), len(kept), 0
            while start < len(kept):
                rest = kept[:start] + kept[start + size :]
                if self._unforeseen(probe, row, rest):
                    kept = rest
                else:
                    start += size
        floats = [index for index in kept if not len(self.domain.variables[index].values)]
        if floats or len(kept) < 2:
            names = [self.domain.space.columns[self.domain.variables[index].columns[0]].name for index in kept]
            raise NotCompilableError(f"the operators depend on {names}, in a way that is not tabulated")
        return kept

    def above(self, rows: np.ndarray, part: int) -> np.ndarray:
        """Return the base genotype with a part's variables taken from each of `rows`, (n, width)."""
        return self.domain.space.repair(np.where(self._masks[part, 0], rows, self.base))

    def below(self, rows: np.ndarray, part: int) -> np.ndarray:
        """Return the same without the part's first variable, which stays as in the base."""
        return self.domain.space.repair(np.where(self._masks[part, 1], rows, self.base))

    def _unforeseen(self, probe: Probe, row: np.ndarray, variables: list[int] | range) -> bool:
        """Return whether the base with `variables` taken from `row` has other operators than the structure says."""
        taken = self._columns(variables)
        mixed = np.where(taken, row, self.base)
        parts = np.where(self._masks & taken, row, self.base).reshape(-1, len(row))
        sums = probe.checks(self.domain.space.repair(np.concatenate([[mixed, self.base], parts])))
        pairs = sums[2:].reshape(-1, 2, sums.shape[1])
        foreseen = sums[1] + (pairs[:, 0] - pairs[:, 1]).sum(axis=0)
        return not np.array_equal(sums[0], foreseen)

    def _columns(self, variables: tuple[int, ...] | list[int] | range) -> np.ndarray:
        chosen = np.zeros(len(self.domain.variables), bool)
        chosen[list(variables)] = True
        mask: np.ndarray = chosen[self.domain.owner]
        return mask
