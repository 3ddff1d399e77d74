"""The heads of attention: which outputs of a network's layers belong to one head, and go or stay together.

That is only known where queries meet keys, behind the reshapes that put heads on an axis of their own. So a network
that attends is followed twice: first loosely, to learn what attention ties, then with that known from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from spaces.pruning.atoms import FIXED, Atoms

Pairs = tuple[np.ndarray, np.ndarray]


class Tied:
    """Outputs of layers that are tied, of all layers that have been met so far."""

    def __init__(self, classes: Mapping[str, np.ndarray]) -> None:
        """Take the class of each output, int64 (outputs,), by the layer's path; `FIXED` where it is tied to nothing."""
        self._classes = classes
        self._members: dict[int, int] = {}

    def known(self, path: str, outputs: np.ndarray) -> Pairs:
        """Return a new layer's outputs that are tied, (n,), and what each of them goes with, (n,)."""
        classes = self._classes.get(path, np.full(len(outputs), FIXED))
        tied = classes != FIXED
        pairs = zip(classes[tied].tolist(), outputs[tied].tolist(), strict=True)
        return outputs[tied], np.array([self._members.setdefault(number, atom) for number, atom in pairs], np.int64)


def tied(pairs: Iterable[Pairs], outputs: Mapping[str, np.ndarray]) -> Tied:
    """Return what is tied by pairs of arrays of atoms, which are broadcast, among the outputs of layers by path."""
    most = max((int(atoms.max()) for atoms in outputs.values()), default=0)
    joined = [np.stack(np.broadcast_arrays(*pair), -1).reshape(-1, 2) for pair in pairs]
    atoms = Atoms()
    atoms.fresh(max([most, *(int(each.max()) for each in joined)]))
    for each in joined:
        free = each[(each != FIXED).all(1)]
        atoms.join(free[:, 0], free[:, 1])
    classes = {path: atoms.roots(each) for path, each in outputs.items()}
    together = np.unique(np.concatenate([np.empty(0, np.int64), *(atoms.roots(each).ravel() for each in joined)]))
    return Tied({path: np.where(np.isin(each, together), each, FIXED) for path, each in classes.items()})
