"""FBNets in PyTorch (Wu et al., CVPR 2019, table 1)."""

from __future__ import annotations

from torch import nn

from spaces.fbnet import ACTIVATION, FORMS, FBNet, Operation, absent, middle
from spaces.networks.chain import Chain
from spaces.networks.inverted_residual import InvertedResidual, conv_bn, head


def network(candidate: FBNet) -> Chain:
    """Return a chain: the stem, one layer each of the stages' operations, the 1x1 convolution and the classifier.

    Images (n, 3, height, width) become logits (n, classes).
    """
    stem = conv_bn(3, candidate.stem, 3, candidate.stem_stride, activation=ACTIVATION)
    layers, channels = [], candidate.stem
    for operation, width, stride in candidate.places():
        layers.append(_layer(channels, operation, width, stride, candidate.expand))
        channels = width
    return Chain(stem, layers, head(channels, candidate.head, candidate.classes, activation=ACTIVATION))


def _layer(inputs: int, operation: Operation, width: int, stride: int, expand: bool) -> nn.Module:
    if absent(operation, inputs, width, stride):
        return nn.Identity()
    if operation == "skip":
        return conv_bn(inputs, width, 1, stride, activation=ACTIVATION)
    form = FORMS[operation]
    return InvertedResidual(
        inputs, width, form.kernel, stride, middle=middle(inputs, form.expansion), activation=ACTIVATION,
        shortcut=stride == 1 and inputs == width, expand=expand, groups=form.groups, depthwise=form.depthwise,
    )  # fmt: skip
