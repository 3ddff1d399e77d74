"""ElasticViT networks in PyTorch (Tang et al., ICCV 2023).

All weights of a network have the name of the largest network's and lie within them; see `hardware_models.inherited`.
"""

from __future__ import annotations

from torch import Tensor, nn

from hardware_models.attention import attention
from hardware_models.torch_tokens import Attention, TokenNorm
from spaces._elasticvit_ops import (
    ACTIVATION,
    FEATURES_EXPANSION,
    HEAD_WIDTH,
    REDUCTION_EXPANSION,
    REDUCTION_KERNEL,
    squeeze,
)
from spaces.elasticvit import ConvolutionStage, ElasticViT, TransformerStage
from spaces.networks.chain import Chain
from spaces.networks.inverted_residual import InvertedResidual, conv_bn


def network(candidate: ElasticViT) -> Chain:
    """Return a chain: the first convolution, one layer for each stage, the head.

    Images (n, 3, side, side) become logits (n, classes).
    """
    side, inputs = -(-candidate.resolution // candidate.stem_stride), candidate.widths[0]
    stem, layers = conv_bn(3, inputs, 3, candidate.stem_stride, activation=ACTIVATION), list[nn.Module]()
    for place, (stage, width) in enumerate(zip(candidate.stages, candidate.widths, strict=True)):
        if isinstance(stage, ConvolutionStage):
            layers.append(_convolutions(stage, inputs, width, side))
        else:
            layers.append(Transformers(stage, inputs, width, side, tokens=place > len(candidate.convolutions)))
        side, inputs = -(-side // stage.stride), width
    return Chain(stem, layers, Head(inputs, candidate.features, candidate.classes))


class MobileBlock(nn.Module):
    """An inverted residual, added to its input: averaged by the stride, and widened by a convolution if need be.

    As in the released code the last norm's scale starts at 0 where there is no stride.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, *, expansion: int, squeezed: bool, side: int
    ) -> None:
        super().__init__()
        middle = inputs * expansion
        self.body = InvertedResidual(
            inputs, outputs, kernel, stride, middle=middle, activation=ACTIVATION,
            squeeze=squeeze(middle) if squeezed else False,
        )  # fmt: skip
        self.pool = (
            nn.AvgPool2d(stride, padding=side % stride, count_include_pad=False) if stride > 1 else nn.Identity()
        )
        self.widen = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        if stride == 1:
            nn.init.zeros_(self.body.project[1].weight)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        """Return images of `outputs` channels, the side divided by the stride and rounded up."""
        outputs: Tensor = self.body(images) + self.widen(self.pool(images))
        return outputs


class SelfAttention(nn.Module):
    """Attention of normalised tokens to each other, added to them; see `spaces._elasticvit_ops.attention_block`."""

    def __init__(self, width: int, v_scale: int, side: int) -> None:
        super().__init__()
        tokens, wide = (side**2, width), width * v_scale
        self.side = side
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, wide, bias=False)
        self.local = nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False)
        self.attend = Attention(attention(tokens, width // HEAD_WIDTH, values=(side**2, wide), bias=True))
        self.activation = nn.Hardswish()
        self.project = nn.Linear(wide, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape (n, tokens, width)."""
        normed = self.norm(tokens)
        values = to_tokens(self.local(to_image(self.value(normed), self.side)))
        attended = self.attend(self.query(normed), self.key(normed), values)
        outputs: Tensor = tokens + self.project(self.activation(attended))
        return outputs


class FeedForward(nn.Module):
    """Two layers on normalised tokens, added to them."""

    def __init__(self, width: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, width * mlp_ratio)
        self.activation = nn.Hardswish()
        self.narrow = nn.Linear(width * mlp_ratio, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape (n, tokens, width)."""
        outputs: Tensor = tokens + self.narrow(self.activation(self.widen(self.norm(tokens))))
        return outputs


class Transformers(nn.Module):
    """A mobile block, then attention and MLP in turn: images, or the tokens of one, to tokens."""

    def __init__(self, stage: TransformerStage, inputs: int, width: int, side: int, *, tokens: bool) -> None:
        super().__init__()
        self.side = side if tokens else 0
        self.reduction = MobileBlock(
            inputs, width, REDUCTION_KERNEL, stage.stride, expansion=REDUCTION_EXPANSION, squeezed=True, side=side
        )
        after = -(-side // stage.stride)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(SelfAttention(width, stage.v_scale, after), FeedForward(width, stage.mlp_ratio))
                for _ in range(stage.depth)
            )
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return tokens (n, tokens, width), the image's side divided by the stride and rounded up."""
        images = to_image(features, self.side) if self.side else features
        outputs: Tensor = self.blocks(to_tokens(self.reduction(images)))
        return outputs


class Head(nn.Module):
    """Features of each token, their mean, and two layers."""

    def __init__(self, width: int, features: int, classes: int) -> None:
        super().__init__()
        self.widen = nn.Linear(width, FEATURES_EXPANSION * width)
        self.norm = TokenNorm(FEATURES_EXPANSION * width)
        self.activation = nn.Hardswish()
        self.hidden = nn.Linear(FEATURES_EXPANSION * width, features)
        self.classifier = nn.Linear(features, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits (n, classes) of tokens (n, tokens, width)."""
        mean = self.activation(self.norm(self.widen(tokens))).mean(1)
        logits: Tensor = self.classifier(self.activation(self.hidden(mean)))
        return logits


def to_image(tokens: Tensor, side: int) -> Tensor:
    """Return tokens (n, side x side, channels) as an image (n, channels, side, side)."""
    return tokens.transpose(1, 2).reshape(-1, tokens.shape[2], side, side)


def to_tokens(images: Tensor) -> Tensor:
    """Return an image (n, channels, height, width) as tokens (n, height x width, channels), row by row."""
    return images.flatten(2).transpose(1, 2)


def _convolutions(stage: ConvolutionStage, inputs: int, width: int, side: int) -> nn.Sequential:
    blocks = []
    for place in range(stage.depth):
        stride = 1 if place else stage.stride
        blocks.append(
            MobileBlock(
                inputs, width, stage.kernel, stride, expansion=stage.expansion, squeezed=stage.squeeze, side=side
            )
        )
        inputs = width
    return nn.Sequential(*blocks)
