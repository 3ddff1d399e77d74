"""Operators on sequences of tokens as PyTorch modules: tensors are (batch, tokens, channels)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hardware_models.attention import attention_sizes, position_table
from hardware_models.op import Op, Shape


class RelativePositions(nn.Module):
    """What is added to the scores of tokens that are a square image, by head and offset (Liu et al., ICCV 2021, eq. 4).

    The table of a smaller square is the middle of a larger one's.
    """

    offsets: Tensor
    settled: Tensor | None

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.table = nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=0.02))
        side = (shape[1] + 1) // 2
        rows, columns = torch.arange(side**2) // side, torch.arange(side**2) % side
        down, right = rows[:, None] - rows + side - 1, columns[:, None] - columns + side - 1
        self.register_buffer("offsets", down * shape[1] + right, persistent=False)
        self.register_buffer("settled", None, persistent=False)

    def settle(self) -> None:
        """Lay the values out once, as they are now: a network that is no longer trained then reads no table."""
        self.settled = self.forward().detach()

    def forward(self) -> Tensor:
        """Return what is added to the scores of each query (rows) and key (columns), (heads, tokens, tokens)."""
        if self.settled is not None:
            return self.settled
        laid_out: Tensor = self.table.flatten(1)[:, self.offsets]
        return laid_out


class Attention(nn.Module):
    """Scaled dot-product attention in heads, of all tokens or window by window; see `hardware_models.attention`."""

    def __init__(self, op: Op) -> None:
        super().__init__()
        self.heads, self.window = op.heads, op.window
        self.positions = RelativePositions(position_table(op)) if op.bias else None

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what each query attends to, (batch, queries, heads x value width)."""
        apart = self._split(queries), self._split(keys), self._split(values)
        added = None if self.positions is None else self.positions()
        joined = functional.scaled_dot_product_attention(*apart, attn_mask=added).transpose(1, 2).flatten(2)
        return joined.reshape(queries.shape[0], queries.shape[1], -1) if self.window else joined

    def _split(self, tokens: Tensor) -> Tensor:
        """Return (batch, heads, tokens, width), where each window is a batch of its own."""
        tokens = tokens.reshape(-1, self.window or tokens.shape[1], tokens.shape[2])
        return tokens.reshape(tokens.shape[0], tokens.shape[1], self.heads, -1).transpose(1, 2)


class PackedAttention(nn.Module):
    """Attention whose queries, keys and values lie side by side in one input."""

    def __init__(self, op: Op) -> None:
        super().__init__()
        sizes = attention_sizes(op)
        self.widths = [op.heads * width for width in (sizes.query_width, sizes.query_width, sizes.value_width)]
        self.attention = Attention(op)

    def forward(self, packed: Tensor) -> Tensor:
        """Return what each token attends to, (batch, tokens, heads x value width)."""
        queries, keys, values = torch.split(packed, self.widths, 2)
        attended: Tensor = self.attention(queries, keys, values)
        return attended


class TokenImportance(nn.Module):
    """How much the first token attends to each, a mean over heads; see `hardware_models.kinds`."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, packed: Tensor, keys: Tensor | None = None) -> Tensor:
        """Return (batch, tokens) of packed queries, keys and values (batch, tokens, 3 x channels), or of two apart."""
        queries, apart = packed.chunk(3, 2)[:2] if keys is None else (packed, keys)
        first, turned = (each.reshape(*each.shape[:2], self.heads, -1) for each in (queries[:, :1], apart))
        attention = (first.transpose(1, 2) @ turned.permute(0, 2, 3, 1) * first.shape[-1] ** -0.5).softmax(-1)
        importance: Tensor = attention.mean((1, 2))
        return importance


class TokenMerge(nn.Module):
    """The first `kept` tokens, each averaged with those of the others that are most like it."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (batch, kept, channels)."""
        kept, others = tokens[:, : self.kept], tokens[:, self.kept :]
        similarity = functional.normalize(others, dim=-1) @ functional.normalize(kept, dim=-1).transpose(1, 2)
        target = similarity.argmax(-1, keepdim=True)
        sums = kept.scatter_add(1, target.expand_as(others), others)
        shares = torch.ones_like(kept[..., :1]).scatter_add(1, target, torch.ones_like(others[..., :1]))
        return sums / shares


class TokenPrune(nn.Module):
    """The `kept` tokens of largest importance, in their order."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, tokens: Tensor, importance: Tensor) -> Tensor:
        """Return (batch, kept, channels) of tokens (batch, n, channels) by their importance (batch, n)."""
        chosen = importance.topk(self.kept).indices.sort().values
        return tokens.gather(1, chosen.unsqueeze(-1).expand(-1, -1, tokens.shape[2]))


class ClassToken(nn.Module):
    """A learned token before the others."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, channels))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return one token more than there are."""
        return torch.cat([self.token.expand(tokens.shape[0], -1, -1), tokens], dim=1)


class PositionEmbedding(nn.Module):
    """A learned sequence that is added to the tokens."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.zeros(1, *shape))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape."""
        return tokens + self.embedding


class TokenNorm(nn.Module):
    """Batch normalisation of channels that are the last axis, of sequences or vectors."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the same shape."""
        normed: Tensor = self.norm(tokens.flatten(0, -2))
        return normed.view_as(tokens)
