"""SAP (Diao et al., ICLR 2023): prune, go back to the first weights, train, ask the PQ index how much more can go.

Single weights of all convolutions and linear layers are pruned, not channels: what is left is a sparse network of the
same shapes. `evaluators.pruning.channel_sap` does the same to channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

SCOPES = ("global", "layer", "neuron")

Count = Callable[[np.ndarray], int]
"""Of weights: how many an iteration prunes, `evaluators.pruning.pq_index.pruned_count` with its p, q, eta and gamma."""

Index = Callable[[np.ndarray], float]
"""Of weights: their PQ index, `evaluators.pruning.pq_index.pq_index`."""


@dataclass(frozen=True, slots=True)
class Iteration:
    """What an iteration found: the index of all weights that it trained, and the share of all that is left after it."""

    index: float
    left: float


class Sap:
    """The masks of a model's weights, and its first weights.

    Attributes:
      masks: 1 where a weight is left, by the layer's path.
    """

    def __init__(self, model: nn.Module, scope: str = "global") -> None:
        """Take a model as it is initialised. Raises ValueError for an unknown scope."""
        if scope not in SCOPES:
            raise ValueError(f"unknown scope {scope!r}; expected one of {', '.join(SCOPES)}")
        self._model, self._scope = model, scope
        self._first = {name: value.clone() for name, value in model.state_dict().items()}
        layers = {path: module for path, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}
        self._layers: dict[str, Any] = layers
        self.masks = {path: torch.ones_like(module.weight) for path, module in self._layers.items()}

    def run(self, train: Callable[[], None], iterations: int, count: Count, index: Index) -> Iterator[Iteration]:
        """Repeat: train from the first weights, prune by magnitude. `train` calls `mask` after each of its steps."""
        for _ in range(iterations):
            self._model.load_state_dict(self._first)
            self.mask()
            train()
            every = torch.cat([self._left(path) for path in self._layers])
            self.prune(count)
            kept = sum(float(mask.sum()) for mask in self.masks.values())
            yield Iteration(index(every.numpy()), kept / sum(mask.numel() for mask in self.masks.values()))

    @torch.no_grad()
    def mask(self) -> None:
        """Set the pruned weights to zero."""
        for path, module in self._layers.items():
            module.weight.mul_(self.masks[path])

    def prune(self, count: Count) -> None:
        """Prune the smallest of the weights that are left: as many as `count` says of each scope."""
        if self._scope == "global":
            kept = _without_smallest(torch.cat([self._scores(path).flatten() for path in self.masks]), count)
            parts = torch.split(kept, [mask.numel() for mask in self.masks.values()])
            self.masks = {
                path: part.view_as(mask) for (path, mask), part in zip(self.masks.items(), parts, strict=True)
            }
            return
        for path, mask in self.masks.items():
            rows = self._scores(path).reshape(len(mask) if self._scope == "neuron" else 1, -1)
            self.masks[path] = torch.stack([_without_smallest(row, count) for row in rows]).view_as(mask)

    def _scores(self, path: str) -> Tensor:
        """Return absolute weights, infinite where they are pruned already."""
        weight: Tensor = self._layers[path].weight.detach().abs()
        return torch.where(self.masks[path] > 0, weight, torch.inf)

    def _left(self, path: str) -> Tensor:
        weight: Tensor = self._layers[path].weight.detach()
        return weight[self.masks[path] > 0]


def _without_smallest(scores: Tensor, count: Count) -> Tensor:
    """Return the mask of scores (d,) without those that are infinite and the smallest of the others."""
    left = scores.isfinite()
    number = count(scores[left].numpy()) if left.any() else 0
    mask = left.float()
    mask[scores.argsort(stable=True)[:number]] = 0
    return mask
