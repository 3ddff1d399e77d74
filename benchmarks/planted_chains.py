"""Chains with a planted best network: of every layer one choice keeps the features clean, the others add noise to them.

The clean choice is neither the cheapest nor the dearest, and which of a layer's choices it is changes with the layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import torch
from torch import Tensor, nn

from evaluators._preparation import Costs
from spaces.genotype import GenotypeSpace

NOISE = (0.0, 0.7, 0.8, 0.9)
"""The part of the deviation that is noise, by how far a choice is from the clean one, counted round."""

MILLISECONDS = (2.0, 1.5, 1.8, 2.4)
"""Likewise, what a choice costs."""

REST_MS = 1.0
CHANNELS = 8


class Planted(pg.Object):  # type: ignore[misc]
    """A chain on digits of 8x8; each of `choices` is one of four blocks."""

    choices: list[int]

    def build(self) -> nn.Module:
        """Return the untrained network: images (n, 1, 8, 8) to logits (n, 10)."""
        return Chain([NOISE[(choice - place) % len(NOISE)] for place, choice in enumerate(self.choices)])


class Chain(nn.Module):
    """A stem, one noisy block for each of `noise`, a head."""

    def __init__(self, noise: list[float]) -> None:
        """Build it."""
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, CHANNELS, 3, padding=1, bias=False), nn.BatchNorm2d(CHANNELS), nn.ReLU())
        self.layers = nn.ModuleList(Block(part) for part in noise)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * CHANNELS, 10))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        features = self.stem(images)
        for layer in self.layers:
            features = layer(features)
        outputs: Tensor = self.head(features)
        return outputs


class Block(nn.Module):
    """A 3x3 convolution, its norm, noise that nothing can train away, ReLU."""

    def __init__(self, noise: float) -> None:
        """Build it; `noise` from 0 to 1."""
        super().__init__()
        self.noise = noise
        self.conv = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(CHANNELS)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of the same shape."""
        signal = self.norm(self.conv(inputs))
        mixed: Tensor = (1 - self.noise**2) ** 0.5 * signal + self.noise * torch.randn_like(signal)
        return mixed.relu()


def planted_space(layers: int) -> GenotypeSpace:
    """Return the compiled space."""
    return GenotypeSpace(Planted([pg.oneof(list(range(len(NOISE)))) for _ in range(layers)]))


def planted(layers: int) -> np.ndarray:
    """Return the genotype without noise."""
    return np.arange(layers) % len(NOISE)


def planted_costs(layers: int) -> Costs:
    """Return what its networks cost."""
    terms = [np.roll(np.array(MILLISECONDS), place % len(NOISE)) for place in range(layers)]
    return Costs("latency_ms@planted", REST_MS, tuple(terms))


def decode(log_probabilities: tuple[np.ndarray, ...], costs: Costs, budget: float) -> tuple[np.ndarray, float]:
    """Return the most probable genotype within the budget, and its cost, by listing all of a small space."""
    counts = tuple(len(column) for column in log_probabilities)
    rows = np.stack(np.unravel_index(np.arange(int(np.prod(counts))), counts), axis=1)
    every = np.arange(len(counts))
    scores = sum(log_probabilities[column][rows[:, column]] for column in every)
    spent: Any = costs.constant + sum(costs.terms[column][rows[:, column]] for column in every)
    best = int(np.where(spent <= budget, scores, -np.inf).argmax())
    return rows[best], float(spent[best])
