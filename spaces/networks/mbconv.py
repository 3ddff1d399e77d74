"""Networks of inverted residuals in PyTorch (MobileNetV2: Sandler et al., CVPR 2018, section 3 and figure 4)."""

from __future__ import annotations

from torch import Tensor, nn

from spaces.mbconv import MBConv


class Network(nn.Module):
    """A stem, inverted residuals, a 1x1 convolution, pooling and a linear layer: images to logits."""

    def __init__(self, candidate: MBConv) -> None:
        super().__init__()
        self.stem = _conv_bn_relu6(candidate.image[0], candidate.stem, 3)
        blocks, channels = [], candidate.stem
        for block, width, stride in candidate.layers():
            blocks.append(InvertedResidual(channels, width, block.kernel, block.expansion, stride))
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.head = _conv_bn_relu6(channels, candidate.head, 1)
        self.classifier = nn.Linear(candidate.head, candidate.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, classes), of images (n, channels, height, width)."""
        features = self.head(self.blocks(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


class InvertedResidual(nn.Module):
    """1x1 expansion (none for expansion 1), depthwise kernel x kernel, 1x1 projection, a shortcut where it fits."""

    def __init__(self, inputs: int, outputs: int, kernel: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.body = nn.Sequential(
            _conv_bn_relu6(inputs, wide, 1) if expansion > 1 else nn.Identity(),
            _conv_bn_relu6(wide, wide, kernel, stride, groups=wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features of `outputs` channels, the side divided by the stride and rounded up."""
        outputs: Tensor = self.body(inputs)
        return inputs + outputs if self.shortcut else outputs


def _conv_bn_relu6(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6())
