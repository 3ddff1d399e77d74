"""A plain vision transformer (Dosovitskiy et al., ICLR 2021), with the names that timm gives to its layers and weights.

So weights that were trained there, DeiT's or MAE's, are read by `load_state_dict`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spaces.token_compression.layouts import Layout

EPSILON = 1e-6
"""Of the norms."""

POSITION_STD = 0.3
"""Of the positions at first. The published 0.02 takes small transformers, trained briefly, many epochs to grow from."""


class ViT(nn.Module):
    """Float32 images (n, channels, side, side) to logits (n, classes); see `spaces.token_compression.layouts`.

    Attributes:
      layout: its sizes.
      patch_drop: the share of an image's patches that training leaves out, other ones each time (PatchDropout, Liu et
        al., WACV 2023; timm's `patch_drop_rate`). Steps cost as much less, and the transformer learns to miss patches.

    Raises:
      ValueError: for a share outside 0 <= patch_drop < 1, and for the layout of a cut transformer.
    """

    def __init__(self, layout: Layout, patch_drop: float = 0.0) -> None:
        super().__init__()
        if layout.cut:
            raise ValueError("a transformer is made whole: cut its units by spaces.compression.vit_cut.cut")
        if not 0 <= patch_drop < 1:
            raise ValueError(f"patch_drop must be at least 0 and below 1, got {patch_drop}")
        width, self.layout, self.patch_drop = layout.width, layout, patch_drop
        self.patch_embed = PatchEmbedding(layout)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, layout.tokens, width), std=POSITION_STD))
        self.blocks = nn.Sequential(*(Block(width, layout.heads, layout.ratio) for _ in range(layout.depth)))
        mean = layout.pool == "mean"
        self.norm = nn.Identity() if mean else nn.LayerNorm(width, EPSILON)
        self.fc_norm = nn.LayerNorm(width, EPSILON) if mean else nn.Identity()
        self.head = nn.Linear(width, layout.classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def embed(self, images: Tensor) -> Tensor:
        """Return the tokens (n, tokens, width) of images, the class token first; in training of some patches only."""
        patches = self.patch_embed(images)
        tokens: Tensor = torch.cat([self.cls_token.expand(patches.shape[0], -1, -1), patches], 1) + self.pos_embed
        return self._some(tokens) if self.training and self.patch_drop else tokens

    def _some(self, tokens: Tensor) -> Tensor:
        """Return the class token and a random part of the others, at least one."""
        count = max(1, int(self.layout.patches * (1 - self.patch_drop)))
        chances = torch.rand(tokens.shape[0], self.layout.patches, device=tokens.device)
        kept = functional.pad(chances.topk(count).indices + 1, (1, 0))
        return tokens.gather(1, kept[..., None].expand(-1, -1, tokens.shape[2]))

    def classify(self, tokens: Tensor, sizes: Tensor | None = None) -> Tensor:
        """Return logits; a mean of tokens weighs each with its size (n, tokens)."""
        tokens = self.norm(tokens)
        pooled = tokens[:, 0] if self.layout.pool == "class" else mean_of_patches(tokens, sizes)
        logits: Tensor = self.head(self.fc_norm(pooled))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes)."""
        return self.classify(self.blocks(self.embed(images)))


class PatchEmbedding(nn.Module):
    """Images to the tokens of their patches, row by row."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.proj = nn.Conv2d(layout.channels, layout.width, layout.patch, layout.patch)

    def forward(self, images: Tensor) -> Tensor:
        """Return tokens (n, patches, width)."""
        tokens: Tensor = self.proj(images).flatten(2).transpose(1, 2)
        return tokens


class Attention(nn.Module):
    """Queries, keys and values of one linear layer, attention in heads, a linear layer back."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.num_heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape."""
        queries, keys, values = self.qkv(tokens).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(queries, keys, values)
        outputs: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return outputs


class FeedForward(nn.Module):
    """A layer to `ratio` times the width, GELU, a layer back."""

    def __init__(self, width: int, ratio: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, ratio * width)
        self.fc2 = nn.Linear(ratio * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape."""
        outputs: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return outputs


class Block(nn.Module):
    """Attention and a perceptron, each on normalised tokens and added to them."""

    def __init__(self, width: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.mlp = FeedForward(width, ratio)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape."""
        tokens = tokens + self.attn(self.norm1(tokens))
        outputs: Tensor = tokens + self.mlp(self.norm2(tokens))
        return outputs


def mean_of_patches(tokens: Tensor, sizes: Tensor | None) -> Tensor:
    """Return the mean (n, width) of all tokens but the first, each weighing as much as its size (n, tokens)."""
    if sizes is None:
        return tokens[:, 1:].mean(1)
    weights = sizes[:, 1:, None]
    return (tokens[:, 1:] * weights).sum(1) / weights.sum(1)
