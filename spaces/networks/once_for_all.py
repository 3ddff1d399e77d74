"""Once-for-all networks in PyTorch (Cai et al., ICLR 2020, section 3).

A block is called by its stage and its place in it, so that all weights of a network have the name of the largest
network's and lie within them; see `hardware_models.inherited`.
"""

from __future__ import annotations

from torch import Tensor, nn

from hardware_models.blocks import divisible
from spaces.networks.inverted_residual import ACTIVATIONS, InvertedResidual, conv_bn, set_norm_eps
from spaces.once_for_all import OnceForAll


class Network(nn.Module):
    """A stem, inverted residuals, a 1x1 convolution, pooling, with two heads one more of these, a linear layer."""

    def __init__(self, candidate: OnceForAll) -> None:
        super().__init__()
        self.stem = conv_bn(3, candidate.stem, 3, 2, activation=candidate.activation)
        self.blocks = nn.Sequential(*_blocks(candidate))
        self.head = _head(candidate)
        self.classifier = nn.Linear(candidate.head[-1], candidate.classes)
        set_norm_eps(self, candidate.norm_eps)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n, classes), of images (n, 3, height, width)."""
        logits: Tensor = self.classifier(self.head(self.blocks(self.stem(images))).flatten(1))
        return logits


def _blocks(candidate: OnceForAll) -> list[nn.Module]:
    """Return the fixed block, then each stage."""
    stem, channels = candidate.stem, candidate.first
    activation = candidate.first_activation
    found: list[nn.Module] = [
        InvertedResidual(stem, channels, 3, 1, middle=stem, activation=activation, shortcut=stem == channels)
    ]
    blocks: list[nn.Module] = []
    left = list(candidate.depths)
    for block, stage, stride in candidate.layers():
        blocks.append(
            InvertedResidual(
                channels, stage.width, block.kernel, stride, middle=divisible(channels * block.expansion),
                activation=stage.activation, squeeze=stage.squeeze, shortcut=stride == 1 and channels == stage.width,
            )
        )  # fmt: skip
        channels = stage.width
        if len(blocks) == left[0]:
            found.append(nn.Sequential(*blocks))
            blocks, left = [], left[1:]
    return found


def _head(candidate: OnceForAll) -> nn.Sequential:
    """Return what is between the last stage and the classifier, pooling included."""
    before, *after = candidate.head
    parts: list[nn.Module] = [
        conv_bn(candidate.stages[-1].width, before, 1, activation=candidate.activation),
        nn.AdaptiveAvgPool2d(1),
    ]
    for channels in after:
        parts += [nn.Conv2d(before, channels, 1, bias=False), ACTIVATIONS[candidate.activation]()]
    return nn.Sequential(*parts)
