"""Atoms: the channels of a network, joined where one cannot be removed without the other."""

from __future__ import annotations

import numpy as np

FIXED = 0
"""The atom of everything that must stay: inputs, outputs, and what an operator that is not understood reads."""


class Atoms:
    """A union-find over channels. Arrays of atoms may have any shape."""

    def __init__(self) -> None:
        self._parents = [FIXED]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._parents)

    def fresh(self, count: int) -> np.ndarray:
        """Return `count` new atoms, int64 (count,), each joined with nothing."""
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def join(self, left: np.ndarray, right: np.ndarray) -> None:
        """Join atoms pairwise; the arrays are broadcast."""
        pairs = np.stack(np.broadcast_arrays(left, right), -1).reshape(-1, 2)
        for one, other in np.unique(pairs, axis=0).tolist():
            first, second = sorted((self._root(one), self._root(other)))
            self._parents[second] = first

    def fix(self, atoms: np.ndarray) -> None:
        """Join atoms with what must stay."""
        self.join(atoms, np.array(FIXED))

    def roots(self, atoms: np.ndarray) -> np.ndarray:
        """Return the same array with each atom replaced by the smallest one that it is joined with."""
        distinct, places = np.unique(atoms, return_inverse=True)
        found = np.array([self._root(atom) for atom in distinct.tolist()], np.int64)
        return found[places].reshape(atoms.shape)

    def _root(self, atom: int) -> int:
        while self._parents[atom] != atom:
            self._parents[atom] = self._parents[self._parents[atom]]
            atom = self._parents[atom]
        return atom
