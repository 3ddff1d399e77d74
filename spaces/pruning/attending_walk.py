"""Follows channels through a network that attends: norms of tokens, products of values, and heads."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import fx

from spaces.pruning import kinds
from spaces.pruning.walk import Labels, Shaped, Walk


class AttendingWalk(Walk):
    """A run of a network in which values may be multiplied with each other, head by head."""

    def _normalised(self, node: fx.Node) -> Labels:
        """A layer norm, over the last axes."""
        labels, _ = self._first(node)
        module: Any = self.module.get_submodule(str(node.target))
        for axis in range(-len(module.normalized_shape), 0):
            labels = self._single(labels, axis)
            if labels.shape[axis] > 1:
                return self._fixed(node, "its statistics are those of all channels")
        return labels

    def _single(self, labels: np.ndarray, axis: int) -> np.ndarray:
        """Tie along an axis what changes along another one too: the dimensions of each head."""
        if labels.shape[axis] == 1 or sum(side > 1 for side in labels.shape) == 1:
            return labels
        self._join(labels, labels.take([0], axis))
        return labels.take([0], axis)

    def _matmul(self, node: fx.Node) -> Labels:
        one, other = self._tensors(node)[0], self._tensors(node)[-1]
        axes = self._values[node].ndim
        if min(len(self.shapes[source.name]) for source in (one, other)) < 2:
            return self._fixed(node, "it mixes different channels")
        product = self._product(self._behind(one, axes), self._behind(other, axes))
        return self._fixed(node, "it mixes different channels") if product is None else product[0]

    def _product(self, one: Shaped, other: Shaped) -> Shaped | None:
        """Return the labels of a matrix product, in each head; None where a sum is over different channels."""
        rows, columns = self._single(self._single(one[0], -1), -2), self._single(self._single(other[0], -2), -1)
        if rows.shape[-1] > 1 or columns.shape[-2] > 1 or (rows.shape[-2] > 1 and columns.shape[-1] > 1):
            return None
        shape = (*np.maximum(one[1][:-2], other[1][:-2]).tolist(), one[1][-2], other[1][-1])
        if all(side == 1 for side in (*rows.shape[:-2], *columns.shape[:-2])):
            return (rows if rows.shape[-2] > 1 else columns), shape
        wholes = [(*found[1][:-2], 2, 2) for found in (one, other)]  # no axis but the heads' is broadcast
        return self._together([(rows, wholes[0]), (columns, wholes[1])]), shape

    def _attention(self, node: fx.Node) -> Labels:
        """Scaled dot products, whose heads are on an axis of their own."""
        bound = kinds.attention_arguments(node)
        queries, keys, values = (
            self._behind(bound[name], self._values[node].ndim) for name in ("query", "key", "value")
        )
        turned = keys[0].swapaxes(-1, -2), (*keys[1][:-2], keys[1][-1], keys[1][-2])
        scores = None if bound["enable_gqa"] else self._product(queries, turned)
        if scores is not None and isinstance(bound["attn_mask"], fx.Node):
            scores = self._together([scores, self._behind(bound["attn_mask"], len(scores[1]))]), scores[1]
        product = None if scores is None or scores[0].shape[-1] > 1 else self._product(scores, values)
        return self._fixed(node, "it mixes different channels") if product is None else product[0]
