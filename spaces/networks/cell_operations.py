"""Operations of the cells of NASNet and DARTS in PyTorch: mostly a ReLU, convolutions and a norm, in that order.

Padding is symmetric; where TensorFlow's is not (stride 2 on an even side), outputs have the same shape.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_bn(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, padding: int | None = None) -> nn.Sequential:
    """Return a convolution and a norm."""
    padding = kernel // 2 if padding is None else padding
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs))


def relu_conv_bn(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Return a ReLU, a convolution and a norm."""
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outputs))


def factorized_conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a ReLU, a 1 x kernel convolution, a kernel x 1 one and a norm."""
    wide = nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), (0, kernel // 2), bias=False)
    high = nn.Conv2d(outputs, outputs, (kernel, 1), (stride, 1), (kernel // 2, 0), bias=False)
    return nn.Sequential(nn.ReLU(), wide, high, nn.BatchNorm2d(outputs))


def separable_conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return two depthwise-separable convolutions; the first has the stride."""
    return nn.Sequential(*_separable(inputs, outputs, kernel, stride), *_separable(outputs, outputs, kernel))


def dilated_conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return one depthwise-separable convolution of dilation 2."""
    return _separable(inputs, outputs, kernel, stride, dilation=2)


def pool(kind: str, kernel: int, stride: int = 1) -> nn.Module:
    """Return a pooling of `kind` avg or max; the padding takes no part in an average."""
    if kind == "avg":
        return nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
    return nn.MaxPool2d(kernel, stride, kernel // 2)


class FactorizedReduction(nn.Module):
    """Two 1x1 convolutions of stride 2, the second on the image shifted by one pixel, joined and normed."""

    def __init__(self, inputs: int, outputs: int, *, relu: bool = True) -> None:
        super().__init__()
        widths = (outputs // 2, outputs - outputs // 2)
        self.relu = relu
        self.halves = nn.ModuleList(nn.Conv2d(inputs, width, 1, 2, bias=False) for width in widths)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of half the side, rounded up."""
        features = inputs.relu() if self.relu else inputs
        shifted = functional.pad(features, (-1, 1, -1, 1))  # zeros come in at the right and the bottom
        outputs: Tensor = self.norm(torch.cat([self.halves[0](features), self.halves[1](shifted)], 1))
        return outputs


def _separable(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, inputs, kernel, stride, padding, dilation, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )
