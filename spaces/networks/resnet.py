"""ResNets of CIFAR's size (He et al., CVPR 2016, section 4.2): an ordinary PyTorch model that can be pruned."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional


class ResNet(nn.Sequential):
    """A stem, three stages of `depth` blocks of 16, 32 and 64 channels, a pooled linear layer: 6 x depth + 2 layers.

    Images (n, channels, side, side) to logits (n, classes). ResNet-20 has a depth of 3.
    """

    def __init__(self, channels: int = 3, classes: int = 10, depth: int = 3) -> None:
        widths = [16] * (depth + 1) + [32] * depth + [64] * depth
        blocks = [Block(inputs, outputs) for inputs, outputs in pairwise(widths)]
        stem = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        super().__init__(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


class Block(nn.Module):
    """Two 3x3 convolutions; where it widens and narrows, the shortcut takes every other pixel, padded with zeros.

    That is the paper's option A: a shortcut without weights.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.more = outputs - inputs
        self.first = nn.Conv2d(inputs, outputs, 3, 2 if self.more else 1, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])

    def forward(self, images: Tensor) -> Tensor:
        """Return features, of half the side where the block widens."""
        features = self.norms[1](self.second(functional.relu(self.norms[0](self.first(images)))))
        if self.more:
            images = functional.pad(images[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return functional.relu(features + images)
