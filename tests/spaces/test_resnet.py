"""ResNets as they are pruned: the published layers and weights (He et al., CVPR 2016, section 4.2 and table 6)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from spaces.networks.resnet import ResNet


@pytest.mark.parametrize(("depth", "layers", "millions"), [(3, 20, 0.27), (5, 32, 0.46), (7, 44, 0.66), (9, 56, 0.85)])
def test_layers_and_weights_are_the_published(depth: int, layers: int, millions: float) -> None:
    network = ResNet(depth=depth)
    weighted = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(weighted) == layers
    assert round(sum(weight.numel() for weight in network.parameters()) / 1e6, 2) == millions


def test_images_become_logits() -> None:
    assert ResNet(channels=1, classes=7)(torch.zeros(2, 1, 8, 8)).shape == (2, 7)
