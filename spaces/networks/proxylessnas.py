"""ProxylessNAS networks in PyTorch (Cai, Zhu and Han, ICLR 2019, figure 4)."""

from __future__ import annotations

from torch import nn

from spaces.networks.chain import Chain
from spaces.networks.inverted_residual import InvertedResidual, conv_bn, head, set_norm_eps
from spaces.proxylessnas import ACTIVATION, NORM_EPS, ProxylessNAS


def network(candidate: ProxylessNAS) -> Chain:
    """Return a chain: the stem and the fixed block, one layer a place in a stage, the 1x1 convolution and classifier.

    Images (n, 3, height, width) become logits (n, classes).
    """
    channels = candidate.first
    first = InvertedResidual(candidate.stem, channels, 3, 1, middle=candidate.stem, activation=ACTIVATION)
    layers: list[nn.Module] = []
    for layer in candidate.places():
        if layer is None:
            layers.append(nn.Identity())
            continue
        kernel, expansion, width, stride = layer
        layers.append(
            InvertedResidual(
                channels, width, kernel, stride, middle=channels * expansion, activation=ACTIVATION,
                shortcut=stride == 1 and channels == width,
            )
        )  # fmt: skip
        channels = width
    last = head(channels, candidate.head, candidate.classes, activation=ACTIVATION)
    chain = Chain(nn.Sequential(conv_bn(3, candidate.stem, 3, 2, activation=ACTIVATION), first), layers, last)
    set_norm_eps(chain, NORM_EPS)
    return chain
