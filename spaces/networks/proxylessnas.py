"""ProxylessNAS networks in PyTorch (Cai, Zhu and Han, ICLR 2019, figure 4)."""

from __future__ import annotations

from torch import Tensor, nn

from spaces.networks.inverted_residual import InvertedResidual, conv_bn, set_norm_eps
from spaces.proxylessnas import ACTIVATION, NORM_EPS, ProxylessNAS


class Network(nn.Module):
    """A stem, inverted residuals, a 1x1 convolution, pooling and a linear layer: images to logits."""

    def __init__(self, candidate: ProxylessNAS) -> None:
        super().__init__()
        self.stem = conv_bn(3, candidate.stem, 3, 2, activation=ACTIVATION)
        channels = candidate.first
        blocks = [InvertedResidual(candidate.stem, channels, 3, 1, middle=candidate.stem, activation=ACTIVATION)]
        for kernel, expansion, width, stride in candidate.layers():
            blocks.append(
                InvertedResidual(
                    channels, width, kernel, stride, middle=channels * expansion, activation=ACTIVATION,
                    shortcut=stride == 1 and channels == width,
                )
            )  # fmt: skip
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.head = conv_bn(channels, candidate.head, 1, activation=ACTIVATION)
        self.classifier = nn.Linear(candidate.head, candidate.classes)
        set_norm_eps(self, NORM_EPS)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, classes), of images (n, 3, height, width)."""
        features = self.head(self.blocks(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits
