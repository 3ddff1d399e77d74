"""Networks that are a chain: a stem, layers one after another, a head; the shape that supernets are made of."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn


class Chain(nn.Module):
    """`head(layers(stem(images)))`. A space's decisions each choose one entry of `layers`, absent ones are identities.

    So a layer keeps its place, and the names of its weights, whatever the others are.
    """

    def __init__(self, stem: nn.Module, layers: Iterable[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.layers = nn.ModuleList(layers)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Return the head's output, e.g. logits (n, classes), of images (n, channels, height, width)."""
        features = self.stem(images)
        for layer in self.layers:
            features = layer(features)
        outputs: Tensor = self.head(features)
        return outputs
