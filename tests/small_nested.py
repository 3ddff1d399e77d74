"""A nested space on digits in which one decision matters: how many of the pixels a network sees."""

from __future__ import annotations

import pyglove as pg
import torch
from torch import Tensor, nn

from hardware_models.op import Op, linear
from spaces.genotype import GenotypeSpace

HIDDEN = 32


class Seeing(nn.Module):
    """Two layers on the first `seen` pixels; `idle` more weights that hold nothing but a shift."""

    def __init__(self, seen: int, idle: int) -> None:
        super().__init__()
        self.see, self.idle = nn.Linear(seen, HIDDEN), nn.Linear(idle, HIDDEN)
        self.norm, self.classify = nn.BatchNorm1d(HIDDEN), nn.Linear(HIDDEN, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, 10) of images (n, 1, 8, 8)."""
        pixels = images.flatten(1)[:, : self.see.in_features]
        hidden = self.see(pixels) + self.idle(torch.ones_like(pixels[:, :1]).expand(-1, self.idle.in_features))
        logits: Tensor = self.classify(torch.relu(self.norm(hidden)))
        return logits


class Seen(pg.Object):  # type: ignore[misc]
    """One such network."""

    seen: int
    idle: int

    def build(self) -> nn.Module:
        """Return the untrained network."""
        return Seeing(self.seen, self.idle)

    def ops(self) -> tuple[Op, ...]:
        """Return its layers."""
        return linear((self.seen,), HIDDEN), linear((self.idle,), HIDDEN), linear((HIDDEN,), 10)


def small_nested() -> GenotypeSpace:
    """Return the space of nine networks."""
    return GenotypeSpace(Seen(seen=pg.oneof([16, 32, 64]), idle=pg.oneof([4, 16, 32])))
