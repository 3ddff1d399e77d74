"""Small transformers that write attention in the ways in which people do."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Written(nn.Module):
    """Attention written out as timm does without a fused kernel: sizes read from the tokens, products and a softmax."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.qkv, self.proj, self.drop = nn.Linear(width, 3 * width), nn.Linear(width, width), nn.Dropout(0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        count, length, width = tokens.shape
        packed = self.qkv(tokens).reshape(count, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        queries, keys, values = packed.unbind(0)
        scores = self.drop(((queries * self.scale) @ keys.transpose(-2, -1)).softmax(dim=-1))
        return self.proj((scores @ values).transpose(1, 2).reshape(count, length, width))


class Chunked(nn.Module):
    """Queries, keys and values cut from one layer, norms of each head's queries and keys (timm's `qk_norm`)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.qkv, self.proj = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.of_queries, self.of_keys = nn.LayerNorm(self.size), nn.LayerNorm(self.size)

    def forward(self, tokens: Tensor) -> Tensor:
        shape = (tokens.shape[0], tokens.size(1), self.heads, self.size)
        queries, keys, values = self.qkv(tokens).chunk(3, dim=-1)
        queries, keys, values = (part.view(shape).transpose(1, 2) for part in (queries, keys, values))
        queries, keys = self.of_queries(queries), self.of_keys(keys)
        attended = functional.scaled_dot_product_attention(queries, keys, values)
        return self.proj(attended.transpose(1, 2).contiguous().view(tokens.shape))


class Placed(nn.Module):
    """Layers of their own for each; what is added to the scores is learned, by head (LeViT's, ElasticViT's)."""

    def __init__(self, width: int, heads: int, tokens: int = 16) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.proj, self.table = nn.Linear(width, width), nn.Parameter(torch.randn(heads, 2 * tokens - 1))
        places = torch.arange(tokens)
        self.register_buffer("offsets", places[:, None] - places + tokens - 1)

    def forward(self, tokens: Tensor) -> Tensor:
        parts = [layer(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key)]
        values = self.value(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        attended = functional.scaled_dot_product_attention(*parts, values, attn_mask=self.table[:, self.offsets])
        return self.proj(functional.gelu(attended.transpose(1, 2).flatten(-2)))


class Packed(nn.Module):
    """PyTorch's own module, as torchvision calls it."""

    def __init__(self, width: int, heads: int, *, first: bool = True) -> None:
        super().__init__()
        self.first, self.attention = first, nn.MultiheadAttention(width, heads, batch_first=first)

    def forward(self, tokens: Tensor) -> Tensor:
        turned = tokens if self.first else tokens.transpose(0, 1)
        attended, _ = self.attention(turned, turned, turned, need_weights=False)
        return attended if self.first else attended.transpose(0, 1)


class Turned(Packed):
    """The same with tokens before the batch."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads, first=False)


class Masked(Packed):
    """The same with a mask, which is left whole."""

    def forward(self, tokens: Tensor) -> Tensor:
        causal = torch.ones(16, 16, dtype=torch.bool).triu(1)
        return self.attention(tokens, tokens, tokens, attn_mask=causal)[0]


class Transformer(nn.Module):
    """Two blocks on the sixteen patches of a 16x16 image."""

    def __init__(self, attention: type[nn.Module], width: int = 24, heads: int = 4) -> None:
        super().__init__()
        self.patches, self.places = nn.Conv2d(3, width, 4, 4), nn.Parameter(torch.randn(1, 16, width))
        self.blocks = nn.ModuleList(attention(width, heads) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.classifier = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2) + self.places
        for block, norm in zip(self.blocks, self.norms, strict=True):
            tokens = tokens + block(norm(tokens))
        return self.classifier(tokens.mean(1))


ATTENTIONS = (Written, Chunked, Placed, Packed, Turned)
