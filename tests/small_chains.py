"""Small chains of convolutions on digits, and spaces that are no chains."""

from __future__ import annotations

from typing import Any

import pyglove as pg
from torch import Tensor, nn

from spaces.genotype import GenotypeSpace


class Chain(nn.Module):
    def __init__(self, stem: nn.Module, layers: list[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.stem, self.layers, self.head = stem, nn.ModuleList(layers), head

    def forward(self, images: Tensor) -> Tensor:
        features = self.stem(images)
        for layer in self.layers:
            features = layer(features)
        outputs: Tensor = self.head(features)
        return outputs


class Convolutions(pg.Object):  # kernels of 0 are left out
    kernels: list[int]
    stem: int = 4
    width: int = 4
    classes: int = 10
    layers: int = 9
    dropout: float = 0.0

    def build(self) -> nn.Module:
        stem = nn.Sequential(nn.Conv2d(1, self.width, self.stem, 2), nn.ReLU())
        layers: list[nn.Module] = [nn.BatchNorm2d(self.width)]
        for kernel in self.kernels[: self.layers]:
            padded = nn.Conv2d(self.width, self.width, kernel, padding=kernel // 2) if kernel else nn.Identity()
            layers.append(nn.Sequential(padded, nn.BatchNorm2d(self.width), nn.ReLU()) if kernel else padded)
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(self.width, self.classes))
        return Chain(stem, layers, nn.Sequential(nn.Dropout(self.dropout), *head))


def convolutions(**settings: Any) -> GenotypeSpace:
    """Return three layers of 3, 2 and 4 choices after one that nothing decides; `settings` may open more."""
    kernels = [pg.oneof([1, 3, 5]), pg.oneof([3, 1]), pg.oneof([0, 1, 3, 5])]
    return GenotypeSpace(Convolutions(**{"kernels": kernels} | settings))
