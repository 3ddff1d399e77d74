"""Global pruning of a vision transformer's dimensions (NViT: Yang et al., CVPR 2023): scores, steps, counts, ReViT.

Units compete across the whole network by the square of a first-order Taylor term; a group of them goes at a time, so
that dimensions stay multiples. What a step saves of the latency, by any function of the dimensions, is taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

GROUPS = {"embedding": 16, "heads": 2, "qk": 8, "v": 8, "mlp": 16}
"""How many units go together; a block keeps as many."""

TIED = {"embedding": 12, "heads": 6, "qk": 2, "v": 1, "mlp": 1}
"""By how many tensors a unit's sum is divided before it is squared."""

CLASSES, PATCH_INPUTS, QKV_HEAD = 1000, 3 * 16 * 16, 64


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The sizes of a vision transformer; of a head, and of each block, their own."""

    embedding: int
    heads: tuple[int, ...]
    qk: tuple[int, ...]
    v: tuple[int, ...]
    mlp: tuple[int, ...]

    def macs(self, tokens: int = 198, classifiers: int = 2) -> int:
        """Return multiply-accumulates of one image of 224; a distilled network has two extra tokens and classifiers."""
        patches, width = tokens - classifiers, self.embedding
        blocks = sum(
            tokens * width * heads * (2 * qk + 2 * v) + heads * tokens**2 * (qk + v) + 2 * tokens * width * mlp
            for heads, qk, v, mlp in self.blocks()
        )
        return patches * PATCH_INPUTS * width + blocks + classifiers * width * CLASSES

    def params(self, tokens: int = 198, classifiers: int = 2) -> int:
        """Return the weights, biases and norms of the same network."""
        width = self.embedding
        outside = PATCH_INPUTS * width + width + tokens * width + classifiers * width + 2 * width
        blocks = sum(
            heads * (2 * qk + v) * (width + 1) + heads * v * width + width + mlp * (2 * width + 1) + width + 4 * width
            for heads, qk, v, mlp in self.blocks()
        )
        return outside + blocks + classifiers * (width + 1) * CLASSES

    def without(self, kind: str, block: int, count: int) -> Dimensions:
        """Return the sizes with so many units fewer of one kind, in a block where the kind is a block's."""
        if kind == "embedding":
            return replace(self, embedding=self.embedding - count)
        sizes = list(getattr(self, kind))
        sizes[block] -= count
        changed: dict[str, Any] = {kind: tuple(sizes)}
        return replace(self, **changed)

    def blocks(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield heads, dimensions of queries and of values in each, and neurons of one block after another."""
        yield from zip(self.heads, self.qk, self.v, self.mlp, strict=True)


def revit(embedding: int) -> Dimensions:
    """Return the twelve blocks of ReViT's rule, which the authors drew from pruned networks, for an embedding."""
    k, q = round(0.005 * embedding), round(0.05 * embedding / 8)
    heads = (10, *[2 * k] * 2, *[4 * k] * 6, *[2 * k] * 2, 10)
    qk = (16 * q, *[8 * q] * 2, *[16 * q] * 6, *[8 * q] * 2, 16 * q)
    mlp = (*[3 * embedding] * 3, *[6 * embedding] * 6, *[3 * embedding] * 3)
    return Dimensions(embedding, heads, qk, (QKV_HEAD,) * 12, mlp)


def taylor(model: Any) -> dict[str, np.ndarray]:
    """Return each unit's score: (sum over its tied weights of weight x gradient / how many tensors those are)^2.

    `embedding` has the shape (width,), `heads` (blocks, heads), `qk` and `v` (blocks, dimensions of a head), `mlp`
    (blocks, neurons). The model is one as `spaces.compression.vit_cut` expects, with gradients.
    """
    return {kind: np.stack(found) for kind, found in taylor_of_blocks(model).items()}


def taylor_of_blocks(model: Any) -> dict[str, list[np.ndarray]]:
    """Return the same, an array a block, and one for the embedding: of a transformer that is cut already, too."""
    sums: dict[str, list[Any]] = {"embedding": _embedding(model), "heads": [], "qk": [], "v": [], "mlp": []}
    for block in model.blocks:
        queries, keys, values = _of_heads(block.attn)
        back = _product(block.attn.proj.weight).sum(0).view(block.attn.num_heads, -1)
        sums["heads"].append((queries + keys).sum(1) + (values + back).sum(1))
        sums["qk"].append((queries + keys).sum(0))
        sums["v"].append((values + back).sum(0))
        into = _product(block.mlp.fc1.weight).sum(1) + _product(block.mlp.fc1.bias)
        sums["mlp"].append(into + _product(block.mlp.fc2.weight).sum(0))
    return {kind: [(np.asarray(each) / TIED[kind]) ** 2 for each in found] for kind, found in sums.items()}


def averaged(before: dict[str, np.ndarray] | None, now: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return scores averaged over pruning steps, an earlier average weighing 0.9."""
    return now if before is None else {kind: 0.9 * before[kind] + 0.1 * scores for kind, scores in now.items()}


def next_group(
    scores: dict[str, np.ndarray],
    dimensions: Dimensions,
    latency: Callable[[Dimensions], float],
    strength: float = 5e-4,
) -> tuple[str, int, np.ndarray]:
    """Return the group of units that matters least: its kind, its block, and the units' numbers.

    Of each kind in each block the lowest units are a group, of the size in `GROUPS`; its score is the sum of theirs,
    less strength x what the latency falls by without them. Where no more units than a group are left, they stay. Scores
    of units that are gone are infinite.

    Raises:
      ValueError: where nothing is left to prune.
    """
    now, found = latency(dimensions), []
    for kind, size in GROUPS.items():
        for block, row in enumerate(np.atleast_2d(scores[kind])):
            lowest = np.sort(np.argsort(row, kind="stable")[:size])
            if np.isfinite(row).sum() > size:
                gain = now - latency(dimensions.without(kind, block, size))
                found.append((float(row[lowest].sum()) - strength * gain, kind, block, lowest))
    if not found:
        raise ValueError("no group of units is left that could be pruned")
    _, kind, block, lowest = min(found, key=lambda each: each[0])
    return kind, block, lowest


def _embedding(model: Any) -> list[Any]:
    """Return the sum over all tensors that have the embedding's dimensions, of each of them."""
    total = _product(model.patch_embed.proj.weight).flatten(1).sum(1) + _product(model.pos_embed).sum((0, 1))
    for block in model.blocks:
        for layer in (*_inner(block.attn), block.mlp.fc1):
            total = total + _product(layer.weight).sum(0)
        for layer in (block.attn.proj, block.mlp.fc2):
            total = total + _product(layer.weight).sum(1)
        for norm in (block.norm1, block.norm2):
            total = total + _product(norm.weight) + _product(norm.bias)
    return list((total + _product(model.head.weight).sum(0)).numpy())


def _inner(attention: Any) -> tuple[Any, ...]:
    """Return the layers of queries, keys and values, apart or in one."""
    return (attention.qkv,) if hasattr(attention, "qkv") else (attention.q, attention.k, attention.v)


def _of_heads(attention: Any) -> list[Tensor]:
    """Return the sums of queries, keys and values, each (heads, dimensions)."""
    rows = []
    for layer in _inner(attention):
        found = _product(layer.weight).sum(1)
        rows.append(found if layer.bias is None else found + _product(layer.bias))
    parts = rows[0].chunk(3) if len(rows) == 1 else rows
    return [part.view(attention.num_heads, -1) for part in parts]


def _product(parameter: Any) -> Tensor:
    product: Tensor = parameter.detach() * parameter.grad
    return product
