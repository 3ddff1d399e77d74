"""Global pruning of a transformer's dimensions within a share of its latency, before it is trained further.

Scores, their average over steps, the groups that go together, what latency takes off a score, and where it ends are
NViT's (Yang et al., CVPR 2023), see `spaces.compression.nvit`. There the network trains on between steps, and its loss
distils the whole one's outputs; here its weights stay as they are, and the loss is the cross-entropy of a few examples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_models.counts import Counts
from spaces.compression.block_table import BlockTable, block_table
from spaces.compression.cut import Cut
from spaces.compression.nvit import Dimensions, averaged, next_group, taylor_of_blocks

if TYPE_CHECKING:
    from torch import nn

    from spaces.compression.vit_cut import Units

GROUPS_A_STEP = 2
"""How many groups go before scores are computed anew: about 32 units, as in the released code."""

STRENGTH = 5e-4

OF_BLOCKS = ("heads", "qk", "v", "mlp")


class GlobalDimensions(Cut):
    """Dimensions of a transformer go, wherever they matter least for the latency that they save.

    Attributes:
      share: of the whole blocks' latency that stays at most, above 0 and below 1.
      examples: a `spaces.compression.examples.Examples`.
      model: a function without arguments, or a class, that returns a hardware model, whose first metric is the latency
        in milliseconds; None for millions of multiply-accumulates in its place.
      strength: what a millisecond, or a million, saved is worth in a group's score; 5e-4 as published, 0 for nothing.
      embedding: whether dimensions of the embedding may go, without which a network computes something else.
    """

    share: float
    examples: Any
    model: Any = None
    strength: float = STRENGTH
    embedding: bool = True

    def units(self, model: nn.Module, scores: Any = None) -> Units:
        """Return which units stay. It scores them anew at each step, and takes no scores.

        Raises:
          ValueError: for a model of other names than timm's, and a share that is out of reach.
        """
        del scores
        if not 0 < self.share < 1:
            raise ValueError(f"the share of the latency must be above 0 and below 1, got {self.share}")
        return _Loop(self, model).run()


class _Loop:
    """One run of the pruning."""

    def __init__(self, settings: GlobalDimensions, model: Any) -> None:
        from spaces.compression.vit_cut import whole_units

        self.settings, self.model, self.blocks = settings, model, whole_units(model)
        self.embedding = np.arange(model.pos_embed.shape[-1])
        self.latency = self._table(int(model.pos_embed.shape[1]))
        self.scores: dict[str, np.ndarray] = {}

    def run(self) -> Units:
        """Return what stays when the latency is within its share."""
        from spaces.compression.vit_cut import Units

        limit = self.settings.share * self.latency(self._dimensions())
        while self.latency(self._dimensions()) > limit:
            self.scores = averaged(self.scores or None, self._scores())
            for _ in range(GROUPS_A_STEP):
                if self.latency(self._dimensions()) > limit:
                    self._remove(*next_group(self.scores, self._dimensions(), self.latency, self.settings.strength))
        return Units(tuple(self.blocks), self.embedding)

    def _table(self, tokens: int) -> BlockTable:
        whole = self._dimensions()
        heads, qk, v, mlp = map(max, zip(*whole.blocks(), strict=True))
        block = (whole.embedding, heads, qk, v, mlp)
        if self.settings.model is None:
            return block_table(lambda ops: {"macs_m": Counts(("macs",))(ops)["macs"] / 1e6}, "macs_m", block, tokens)
        model = self.settings.model()
        return block_table(model, model.metrics[0], block, tokens)

    def _dimensions(self) -> Dimensions:
        heads, qk, v, mlp = (tuple(len(getattr(block, kind)) for block in self.blocks) for kind in OF_BLOCKS)
        return Dimensions(len(self.embedding), heads, qk, v, mlp)

    def _scores(self) -> dict[str, np.ndarray]:
        """Return the scores of all units, infinite for those that are gone."""
        import torch
        from torch.nn import functional

        from spaces.compression.vit_cut import Units, cut, whole_units

        images, labels = self.settings.examples()
        smaller = cut(self.model, Units(tuple(self.blocks), self.embedding)).eval()
        with torch.enable_grad():
            torch.autograd.backward(functional.cross_entropy(smaller(images), labels))
        found, whole = taylor_of_blocks(smaller), whole_units(self.model)
        spread = {"embedding": np.full(self.model.pos_embed.shape[-1], np.inf)}
        if self.settings.embedding:
            spread["embedding"][self.embedding] = found["embedding"]
        for kind in OF_BLOCKS:
            spread[kind] = np.full((len(whole), max(len(getattr(block, kind)) for block in whole)), np.inf)
            for row, block, scores in zip(spread[kind], self.blocks, found[kind], strict=True):
                row[getattr(block, kind)] = scores
        return spread

    def _remove(self, kind: str, block: int, lowest: np.ndarray) -> None:
        np.atleast_2d(self.scores[kind])[block, lowest] = np.inf
        if kind == "embedding":
            self.embedding = np.setdiff1d(self.embedding, lowest)
        else:
            left = np.setdiff1d(getattr(self.blocks[block], kind), lowest)
            changed: dict[str, Any] = {kind: left}
            self.blocks[block] = replace(self.blocks[block], **changed)
