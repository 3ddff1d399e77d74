"""Small networks of every way in which channels are tied together."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class ResidualBlock(nn.Module):
    """A basic block; its shortcut is padded with zeros (option A) or a 1x1 convolution (option B) where it narrows."""

    def __init__(self, inputs: int, outputs: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv_bn(inputs, outputs, 3, stride), conv_bn(outputs, outputs)
        self.missing = outputs - inputs
        projects = option == "B" and self.missing > 0
        self.project = conv_bn(inputs, outputs, 1, stride) if projects else None

    def forward(self, images: Tensor) -> Tensor:
        shortcut = images
        if self.project is not None:
            shortcut = self.project(images)
        elif self.missing:
            pads = (0, 0, 0, 0, self.missing // 2, self.missing - self.missing // 2)
            shortcut = functional.pad(images[:, :, ::2, ::2], pads)
        return functional.relu(self.conv2(functional.relu(self.conv1(images))) + shortcut)


class ResNet(nn.Module):
    """ResNet-(6 x depth + 2) for CIFAR (He et al., 2016, section 4.2)."""

    def __init__(self, option: str = "A", depth: int = 1, width: int = 8, channels: int = 3) -> None:
        super().__init__()
        self.stem = conv_bn(channels, width)
        widths = [width] * depth + [2 * width] * depth + [4 * width] * depth
        blocks, before = [], width
        for outputs in widths:
            blocks.append(ResidualBlock(before, outputs, 1 if outputs == before else 2, option))
            before = outputs
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(before, 10)

    def forward(self, images: Tensor) -> Tensor:
        features = self.blocks(functional.relu(self.stem(images)))
        return self.classifier(functional.adaptive_avg_pool2d(features, 1).flatten(1))


class VGG(nn.Sequential):
    """Convolutions with biases, max pooling, and two linear layers behind a flattened image."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(12, 16, 3, padding=1), nn.GELU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(16 * 4 * 4, 24), nn.BatchNorm1d(24), nn.Sigmoid(), nn.Dropout(), nn.Linear(24, 10),
        )  # fmt: skip


class DenseNet(nn.Module):
    """Two dense blocks of three layers with a transition between them (Huang et al., CVPR 2017)."""

    def __init__(self, growth: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 2 * growth, 3, padding=1, bias=False)
        width, self.blocks, self.transitions = 2 * growth, nn.ModuleList(), nn.ModuleList()
        for _ in range(2):
            layers = nn.ModuleList()
            for _ in range(3):
                norm, conv = nn.BatchNorm2d(width), nn.Conv2d(width, growth, 3, padding=1, bias=False)
                layers.append(nn.Sequential(norm, nn.ReLU(), conv))
                width += growth
            self.blocks.append(layers)
            self.transitions.append(nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width // 2, 1)))
            width //= 2
        self.classifier = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        features = self.stem(images)
        for layers, transition in zip(self.blocks, self.transitions, strict=True):
            for layer in layers:
                features = torch.cat([features, layer(features)], 1)
            features = functional.avg_pool2d(transition(features), 2)
        return self.classifier(features.mean((2, 3)))


class Squeezed(nn.Module):
    """Inverted residuals with squeeze-and-excitation (MobileNetV2 and V3)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 8)
        self.expand, self.depthwise, self.project = conv_bn(8, 24, 1), conv_bn(24, 24, 3, 1, 24), conv_bn(24, 8, 1)
        self.squeeze, self.excite = nn.Conv2d(24, 6, 1), nn.Conv2d(6, 24, 1)
        self.head, self.classifier = conv_bn(8, 20, 1), nn.Linear(20, 10)

    def forward(self, images: Tensor) -> Tensor:
        features = functional.relu6(self.stem(images))
        wide = functional.hardswish(self.depthwise(functional.relu6(self.expand(features))))
        gates = functional.hardsigmoid(self.excite(functional.relu(self.squeeze(wide.mean((2, 3), keepdim=True)))))
        features = features + self.project(wide * gates)
        return self.classifier(functional.hardswish(self.head(features)).mean((2, 3)))


class Shuffled(nn.Module):
    """Grouped convolutions with a shuffle by reshaping, and halves that go separate ways (ShuffleNet V1 and V2)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first = conv_bn(3, 12), conv_bn(12, 16, 1, groups=2)
        self.depthwise, self.last = conv_bn(16, 16, 3, 1, 16), conv_bn(16, 12, 1, groups=2)
        self.branch, self.classifier = conv_bn(6, 6), nn.Linear(12, 10)

    def forward(self, images: Tensor) -> Tensor:
        features = functional.relu(self.stem(images))
        wide = functional.relu(self.first(features))
        count, _, height, width = wide.shape
        wide = wide.view(count, 2, 8, height, width).transpose(1, 2).reshape(count, 16, height, width)
        features = features + self.last(self.depthwise(wide))
        left, right = features.chunk(2, 1)
        features = torch.cat([left[:, :6], self.branch(right)], dim=1)
        return self.classifier(functional.relu(features).mean((2, 3)))


class Mixer(nn.Module):
    """A token mixer: of its channels only those within the two-layer perceptrons are free of layer norms."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, 12, 4, 4), nn.LayerNorm(12)
        self.wide, self.narrow, self.classifier = nn.Linear(12, 20), nn.Linear(20, 12), nn.Linear(12, 10)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = tokens + self.narrow(functional.gelu(self.wide(self.norm(tokens))))
        return self.classifier(tokens.mean(1))


def resnet_a() -> nn.Module:
    return ResNet("A")


def resnet_b() -> nn.Module:
    return ResNet("B")


NETS = {
    "resnet_a": resnet_a, "resnet_b": resnet_b, "vgg": VGG, "densenet": DenseNet, "squeezed": Squeezed,
    "shuffled": Shuffled, "mixer": Mixer,
}  # fmt: skip
