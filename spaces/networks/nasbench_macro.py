"""NAS-Bench-Macro's networks in PyTorch (Su et al., CVPR 2021, and its published code)."""

from __future__ import annotations

from torch import nn

from spaces.nasbench_macro import ACTIVATION, FORMS, HEAD, NasBenchMacro, Operation
from spaces.networks.chain import Chain
from spaces.networks.inverted_residual import InvertedResidual, conv_bn, head


def network(candidate: NasBenchMacro) -> Chain:
    """Return a chain: the stem, the eight layers, the 1x1 convolution and the classifier.

    Images (n, 3, height, width) become logits (n, classes).
    """
    stem = conv_bn(3, candidate.channels, 3, activation=ACTIVATION)
    layers, channels = [], candidate.channels
    for operation, width, stride in candidate.places():
        layers.append(_layer(channels, operation, width, stride))
        channels = width
    return Chain(stem, layers, head(channels, HEAD, candidate.classes, activation=ACTIVATION))


def _layer(inputs: int, operation: Operation, width: int, stride: int) -> nn.Module:
    if operation == "identity":
        projection = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        return nn.Identity() if stride == 1 else projection
    expansion, kernel = FORMS[operation]
    return InvertedResidual(
        inputs, width, kernel, stride, middle=inputs * expansion, activation=ACTIVATION, shortcut=stride == 1
    )
