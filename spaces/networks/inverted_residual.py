"""Inverted residuals in PyTorch, with squeeze-and-excitation or grouped 1x1 convolutions where asked for.

MobileNetV3: Howard et al., ICCV 2019, figure 4. FBNet: Wu et al., CVPR 2019.
"""

from __future__ import annotations

from torch import Tensor, nn

from hardware_models.blocks import Squeeze, mobilenet_squeeze

ACTIVATIONS = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
}


class InvertedResidual(nn.Module):
    """1x1 expansion to `middle` (none where that is the input), depthwise kernel x kernel, linear 1x1 projection.

    The settings are those of `hardware_models.blocks.inverted_residual`.
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
        squeeze: bool | Squeeze = False,
        shortcut: bool = False,
        expand: bool = False,
        groups: int = 1,
        depthwise: int = 1,
    ) -> None:
        super().__init__()
        widens = expand or middle != inputs
        self.expand = conv_bn(inputs, middle, 1, activation=activation, groups=groups) if widens else nn.Sequential()
        if groups > 1:
            self.expand.append(ChannelShuffle(groups))
        self.depthwise = conv_bn(middle, middle, kernel, stride, activation=activation, groups=middle)
        for _ in range(1, depthwise):
            self.depthwise.extend(conv_bn(middle, middle, kernel, activation=activation, groups=middle))
        self.squeeze = _squeeze(middle, squeeze)
        conv = nn.Conv2d(middle, outputs, 1, groups=groups, bias=False)
        self.project = nn.Sequential(conv, nn.BatchNorm2d(outputs))
        self.shortcut = shortcut

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of `outputs` channels, the side divided by the stride and rounded up."""
        outputs: Tensor = self.project(self.squeeze(self.depthwise(self.expand(inputs))))
        return inputs + outputs if self.shortcut else outputs


class SqueezeExcitation(nn.Module):
    """Channels scaled by gates that are computed from their means."""

    def __init__(self, channels: int, squeeze: Squeeze) -> None:
        super().__init__()
        self.gates = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeeze.channels, 1),
            ACTIVATIONS[squeeze.activation](),
            nn.Conv2d(squeeze.channels, channels, 1),
            ACTIVATIONS[squeeze.gate](),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of the same shape."""
        scaled: Tensor = inputs * self.gates(inputs)
        return scaled


class ChannelShuffle(nn.Module):
    """The channels of g groups taken in turn (ShuffleNet: Zhang et al., CVPR 2018); PyTorch's own has no ONNX form."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, images: Tensor) -> Tensor:
        """Return images of the same shape (n, channels, height, width)."""
        count, channels, height, width = images.shape
        grouped = images.reshape(count, self.groups, channels // self.groups, height, width)
        return grouped.transpose(1, 2).reshape(images.shape)


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, activation: str, groups: int = 1
) -> nn.Sequential:
    """Return a "same"-padded convolution without bias, its norm and an activation."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), ACTIVATIONS[activation]())


def head(inputs: int, channels: int, classes: int, *, activation: str) -> nn.Sequential:
    """Return a 1x1 convolution to `channels`, pooling and a linear layer: (n, inputs, h, w) to (n, classes)."""
    last = conv_bn(inputs, channels, 1, activation=activation)
    return nn.Sequential(last, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def _squeeze(channels: int, squeeze: bool | Squeeze) -> nn.Module:
    if not squeeze:
        return nn.Identity()
    return SqueezeExcitation(channels, squeeze if isinstance(squeeze, Squeeze) else mobilenet_squeeze(channels))


def set_norm_eps(network: nn.Module, eps: float) -> None:
    """Let every batch norm of `network` add `eps` to a variance."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = eps
