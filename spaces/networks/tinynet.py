"""TinyNets in PyTorch (Han et al., NeurIPS 2020; EfficientNet-B0: Tan and Le, ICML 2019, table 1)."""

from __future__ import annotations

from torch import nn

from spaces.networks.inverted_residual import InvertedResidual, conv_bn
from spaces.tinynet import ACTIVATION, DROPOUT, STEM, TinyNet, squeeze


def network(candidate: TinyNet) -> nn.Sequential:
    """Return the stem, the blocks, the 1x1 convolution and the classifier: images (n, 3, h, w) to (n, classes)."""
    channels = STEM
    parts: list[nn.Module] = [conv_bn(3, channels, 3, 2, activation=ACTIVATION)]
    for stage, width, stride in candidate.layers():
        parts.append(
            InvertedResidual(
                channels, width, stage.kernel, stride, middle=channels * stage.expansion, activation=ACTIVATION,
                squeeze=squeeze(channels), shortcut=stride == 1 and channels == width,
            )
        )  # fmt: skip
        channels = width
    parts += [conv_bn(channels, candidate.head, 1, activation=ACTIVATION), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*parts, nn.Dropout(DROPOUT), nn.Linear(candidate.head, candidate.classes))
