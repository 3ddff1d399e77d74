"""The operators of many compressed transformers at once, as numbers: what a step runs hangs on two counts of tokens.

Which tokens arrive at a block all blocks before it decide, so that no table of few decisions holds what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.op import Op
from spaces.token_compression import operators
from spaces.token_compression.layouts import Layout

ATTENTION, PRUNE, MERGE, FEED_FORWARD, HEAD, EMBEDDING, NOTHING = range(7)
"""The kinds of steps. A key is (kind, block, tokens that enter, tokens that leave) as digits."""


@dataclass(frozen=True, slots=True)
class OperatorKeys:
    """What translates between schedules, keys and operators.

    Keys of transformers that differ in the sizes of their blocks alone are the same, and stand for other operators.

    Attributes:
      layout: of the transformer.
    """

    layout: Layout

    @property
    def bound(self) -> int:
        """What all keys are below."""
        return (NOTHING + 1) * self.layout.depth * self._side**2

    @property
    def _side(self) -> int:
        return self.layout.tokens + 1

    def of(self, kept: np.ndarray) -> np.ndarray:
        """Return the keys, int64 (n, 4 x depth + 2), of what blocks keep when they prune and merge, (n, 2, depth)."""
        tokens = np.full(len(kept), self.layout.tokens)
        found = [self._keys(EMBEDDING, 0 * tokens, 0 * tokens)]
        for block in range(self.layout.depth):
            left = np.minimum(tokens, kept[:, 0, block])
            leaving = np.minimum(left, kept[:, 1, block])
            nothing = self._keys(NOTHING, 0 * tokens, 0 * tokens)
            pruned = np.where(leaving < tokens, self._keys(PRUNE, tokens, left, block), nothing)
            merged = np.where(leaving < left, self._keys(MERGE, left, leaving), nothing)
            attended = self._keys(ATTENTION, tokens, tokens, block)
            found += [attended, pruned, merged, self._keys(FEED_FORWARD, leaving, leaving, block)]
            tokens = leaving
        return np.stack([*found, self._keys(HEAD, tokens, tokens)], 1)

    def ends(self, key: int) -> bool:
        """Return whether a key's operators are the last ones of the network."""
        return self._digits(key)[0] == HEAD

    def __call__(self, key: int) -> tuple[Op, ...]:
        """Return the operators of one key, in the order they run."""
        kind, number, entering, leaving = self._digits(key)
        tokens, layout, block = (entering, self.layout.width), self.layout, self.layout.blocks[number]
        if kind == ATTENTION:
            return operators.attended(tokens, block)
        if kind == PRUNE:
            return operators.prune(tokens, block, leaving)
        if kind == MERGE:
            return (operators.merge(tokens, leaving),)
        if kind == FEED_FORWARD:
            return (operators.feed_forward(tokens, block.mlp),)
        if kind == HEAD:
            return (operators.head(tokens, layout),)
        return (operators.embedding(layout),) if kind == EMBEDDING else ()

    def _keys(self, kind: int, entering: np.ndarray, leaving: np.ndarray, block: int = 0) -> np.ndarray:
        keys: np.ndarray = ((kind * self.layout.depth + block) * self._side + entering) * self._side + leaving
        return keys

    def _digits(self, key: int) -> tuple[int, ...]:
        sides = NOTHING + 1, self.layout.depth, self._side, self._side
        return tuple(int(digit) for digit in np.unravel_index(key, sides))
