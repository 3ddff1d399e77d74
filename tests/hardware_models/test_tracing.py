"""Tracing: what a forward has a default for is no input of the graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from hardware_models.folding import fold
from hardware_models.tracing import trace
from spaces.lapp import lapp
from spaces.pruning.prunable import Prunable


class MaybeMasked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1)

    def forward(self, images: Any = None, mask: Tensor | None = None, twice: bool = False) -> Tensor:
        features: Tensor = self.norm(self.first(images))
        if mask is not None:
            features = features * mask
        if twice:
            features = 2 * features
        return self.last(features)  # type: ignore[no-any-return]


def test_defaults_are_what_they_are() -> None:
    model, images = MaybeMasked().eval(), torch.randn(2, 3, 8, 8)
    traced = trace(model)
    assert [node.name for node in traced.graph.nodes if node.op == "placeholder"] == ["images"]
    assert torch.equal(traced(images), model(images))


def test_such_a_network_is_folded_and_pruned() -> None:
    assert [type(layer).__name__ for layer in fold(MaybeMasked()).children()] == ["Conv2d", "Conv2d"]
    assert [group.name for group in Prunable(MaybeMasked, (3, 8, 8)).groups] == ["first"]
    assert list(lapp(MaybeMasked, (3, 8, 8)).rates) == ["first"]
