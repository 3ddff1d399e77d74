"""Inverted residuals with squeeze-and-excitation in PyTorch (MobileNetV3: Howard et al., ICCV 2019, figure 4)."""

from __future__ import annotations

from torch import Tensor, nn

from hardware_models.blocks import divisible

ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6, "hardswish": nn.Hardswish}


class InvertedResidual(nn.Module):
    """1x1 expansion to `middle` (none where that is the input), depthwise kernel x kernel, linear 1x1 projection.

    With `squeeze`, squeeze-and-excitation follows the depthwise convolution; with `shortcut` the input is added.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        *,
        middle: int,
        activation: str,
        squeeze: bool = False,
        shortcut: bool = False,
    ) -> None:
        super().__init__()
        self.expand = conv_bn(inputs, middle, 1, activation=activation) if middle != inputs else nn.Identity()
        self.depthwise = conv_bn(middle, middle, kernel, stride, activation=activation, groups=middle)
        self.squeeze = SqueezeExcitation(middle) if squeeze else nn.Identity()
        self.project = nn.Sequential(nn.Conv2d(middle, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = shortcut

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of `outputs` channels, the side divided by the stride and rounded up."""
        outputs: Tensor = self.project(self.squeeze(self.depthwise(self.expand(inputs))))
        return inputs + outputs if self.shortcut else outputs


class SqueezeExcitation(nn.Module):
    """Channels scaled by gates that are computed from their means; a quarter of the channels between."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = divisible(channels // 4)
        self.gates = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.ReLU(),
            nn.Conv2d(squeezed, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of the same shape."""
        scaled: Tensor = inputs * self.gates(inputs)
        return scaled


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, activation: str, groups: int = 1
) -> nn.Sequential:
    """Return a "same"-padded convolution without bias, its norm and an activation."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), ACTIVATIONS[activation]())


def set_norm_eps(network: nn.Module, eps: float) -> None:
    """Let every batch norm of `network` add `eps` to a variance."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = eps
