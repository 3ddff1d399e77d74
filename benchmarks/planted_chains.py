"""Chains with a planted best network: of every layer one choice keeps the features clean, the others add noise to them.

The clean choice is neither the cheapest nor the dearest, and which of a layer's choices it is changes with the layer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyglove as pg
import torch
from torch import Tensor, nn

from evaluators._preparation import Costs
from evaluators.fbnet_dnas import FBNetDNAS
from evaluators.proxylessnas_search import ProxylessNASSearch
from search.algorithms._constrained_decoding import most_probable
from search.algorithms._learned import Budget
from spaces.genotype import GenotypeSpace

NOISE = (0.0, 0.7, 0.8, 0.9)
"""The part of the deviation that is noise, by how far a choice is from the clean one, counted round."""

MILLISECONDS = (2.0, 1.5, 1.8, 2.4)
"""Likewise, what a choice costs."""

REST_MS = 1.0
CHANNELS = 8

COST = "latency_ms@planted"
PLANTED_MS, BUDGET_MS = 7.0, 7.5
"""What the planted network of three layers costs, and what is allowed."""

DNAS = FBNetDNAS(cost=COST, epochs=9, logits_lr=0.15, batch=32)
GATES = ProxylessNASSearch(
    cost=COST, reference=PLANTED_MS, latency_loss="distance", epochs=10, warmup=8, logits_lr=0.05, batch=32, share=0.3,
    every=1,
)  # fmt: skip
REINFORCE = replace(GATES, method="reinforce", epochs=12, logits_lr=0.03, updates=10)
"""Searches of three layers that find it: schedules and rates are far from the papers', and were chosen here."""


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
    return Costs(COST, REST_MS, tuple(terms))


def decode(log_probabilities: tuple[np.ndarray, ...], costs: Costs, budget: float) -> tuple[np.ndarray, float]:
    """Return the most probable genotype within the budget, as the algorithm `distribution` finds it, and its cost."""
    space = planted_space(len(log_probabilities))
    row = most_probable(space, log_probabilities, 1, Budget(costs.constant, costs.terms, budget)).genotypes[0]
    return row, costs.constant + sum(float(terms[choice]) for terms, choice in zip(costs.terms, row, strict=True))
