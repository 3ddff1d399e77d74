"""Differentiable numbers of tokens: DiffRate's discrete proxies (Chen et al., ICCV 2023, section 3.2, and its code)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ROUNDING = 1e-9
"""What an expected count may be above a whole number by and still be that number: its sum is rounded."""


class TokenProxies(nn.Module):
    """Distributions over candidate numbers of patches, whose means are how many tokens are kept.

    Attributes:
      logits: (proxies, candidates), 0 at first.
    """

    candidates: Tensor
    _up_to: Tensor

    def __init__(self, proxies: int, candidates: Sequence[int]) -> None:
        """Take the candidates, patches from all of them down."""
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(proxies, len(candidates)))
        counts, ranks = torch.tensor(candidates, dtype=torch.float64), torch.arange(max(candidates) + 1)
        self.register_buffer("candidates", counts, persistent=False)
        self.register_buffer("_up_to", (counts[:, None] + 1 > ranks).double(), persistent=False)

    def expected(self) -> Tensor:
        """Return the patches that each proxy expects to keep, float64 (proxies,)."""
        return self.logits.double().softmax(1) @ self.candidates

    def kept(self) -> Tensor:
        """Return the tokens that each proxy keeps, the class token with them, float64 (proxies,).

        They are whole: the expected patches are rounded up, and the gradient takes no notice.
        """
        expected = self.expected()
        return expected + ((expected - ROUNDING).ceil() - expected).detach() + 1

    def chances(self) -> Tensor:
        """Return how likely each proxy keeps the token of each rank, float32 (proxies, patches + 1).

        A token is kept by all candidates that keep as many; the class token, rank 0, by all.
        """
        return (self.logits.double().softmax(1) @ self._up_to).float()


def least(tokens: Tensor, pruned: Tensor, merged: Tensor) -> Tensor:
    """Return the smallest of three counts; its gradient goes to both steps' counts and to none of the tokens."""
    value = torch.minimum(tokens, torch.minimum(pruned, merged)).detach()
    return value + (pruned - pruned.detach()) + (merged - merged.detach())
