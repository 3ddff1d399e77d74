"""A vision transformer whose removed tokens are masked: the form in which DiffRate learns how many to remove.

Source: Chen et al., ICCV 2023, section 3, and its code. No token leaves, so that masks carry gradients. In evaluation
mode it computes what `spaces.networks.compressed_vit` does. In training mode it is the released code's: the masked
softmax spreads a small number over all keys, and sizes are raised to at least 1 before they are added.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spaces.networks.compressed_vit import by_importance, log_sizes, merge
from spaces.networks.vit_parts import Parts, parts

SPREAD = 1e-6
"""What the masked softmax of training spreads over all keys."""


Kept = tuple[int, Tensor | None]
"""How many tokens a step keeps, the class token included; how likely it keeps each rank, (tokens,), or None.

Gradients flow through the latter alone.
"""


class MaskedViT(nn.Module):
    """A transformer that computes with all tokens, and masks those that its blocks would remove.

    Attributes:
      model: the whole transformer.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, pruning: Sequence[Kept], merging: Sequence[Kept]) -> Tensor:
        """Return logits (n, classes) for what each block keeps when it prunes, and of that when it merges."""
        found: Parts = parts(self.model)
        tokens = found.embed(images)
        sizes = mask = torch.ones_like(tokens[..., 0])
        count = tokens.shape[1]
        for block, pruned, merged in zip(found.blocks, pruning, merging, strict=True):
            queries, keys, values = block.queries_keys_values(tokens)
            attention = self._attention(queries, keys, log_sizes(sizes), mask, block.scale)
            tokens = tokens + block.project((attention @ values).transpose(1, 2).flatten(2))
            order = torch.cat([by_importance(attention[:, :, 0, :count].mean(1), count), _rest(mask, count)], 1)
            tokens = tokens.gather(1, order[..., None].expand(-1, -1, tokens.shape[2]))
            sizes, mask = sizes.gather(1, order), mask.gather(1, order)
            mask, left = mask * _step(pruned, count, mask), min(count, pruned[0])
            mask, count = mask * _step(merged, left, mask), min(left, merged[0])
            if count < left:
                tokens, sizes = self._merge(tokens, sizes, left, count)
            tokens = tokens + block.feed_forward(tokens)
        return found.classify(tokens, sizes * mask)

    def _attention(self, queries: Tensor, keys: Tensor, added: Tensor, mask: Tensor, scale: float | None) -> Tensor:
        """Return the masked softmax of all scores, (n, heads, tokens, tokens); a token always attends to itself."""
        scores = queries @ keys.transpose(2, 3) * (scale or queries.shape[-1] ** -0.5) + added[:, None, None]
        itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        seen = torch.where(itself, 1.0, mask[:, None, :])[:, None]
        if not self.training:  # a masked score may be the largest by far
            scores = scores.masked_fill(seen == 0, -torch.inf)
        kept = (scores - scores.amax(-1, keepdim=True).detach()).exp() * seen
        spread = SPREAD if self.training else 0.0
        attention: Tensor = (kept + spread / mask.shape[1]) / (kept.sum(-1, keepdim=True) + spread)
        return attention

    def _merge(self, tokens: Tensor, sizes: Tensor, left: int, count: int) -> tuple[Tensor, Tensor]:
        least = 1.0 if self.training else None
        joined, larger = merge(tokens[:, :left], sizes[:, :left], count, least=least)
        return torch.cat([joined, tokens[:, count:]], 1), torch.cat([larger, sizes[:, count:]], 1)


def _step(kept: Kept, count: int, mask: Tensor) -> Tensor:
    """Return what a step multiplies the mask of each rank by: 0 from what it keeps to what there was, 1 elsewhere."""
    ranks = torch.arange(mask.shape[1], device=mask.device)
    tokens, chances = kept
    hard = 1 - ((ranks >= tokens) & (ranks < count)).to(mask.dtype)
    return hard if chances is None else hard - chances.detach() + chances


def _rest(mask: Tensor, count: int) -> Tensor:
    """Return the places of what is masked already, in their order."""
    return torch.arange(count, mask.shape[1], device=mask.device).expand(mask.shape[0], -1)
