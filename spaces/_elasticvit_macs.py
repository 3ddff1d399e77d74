"""The multiply-accumulates of ElasticViT networks as the released code counts them, which is how they are published.

Source: github.com/microsoft/Moonlit, ElasticViT/models. Beside what `hardware_models.counts.macs` counts, it
- takes one for each number that a softmax puts out;
- takes each first block of a later stage of convolutions to have a 1x1 convolution in its shortcut, also where the
  width stays;
- leaves out that of the blocks that begin stages of transformers, and their squeeze-and-excitation;
- takes the depthwise convolution of values for 1x1, though it is 3x3;
- takes the image before a stride for twice as large as the one after it, also where its side is odd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spaces._elasticvit_ops import FEATURES_EXPANSION, HEAD_WIDTH, REDUCTION_EXPANSION, REDUCTION_KERNEL

if TYPE_CHECKING:
    from spaces.elasticvit import ConvolutionStage, ElasticViT, TransformerStage


def released_macs(candidate: ElasticViT) -> int:
    """Return what the released code says of a network, for one image."""
    side, inputs = -(-candidate.resolution // candidate.stem_stride), candidate.widths[0]
    total = 27 * inputs * side**2
    for stage, width in zip(candidate.convolutions, candidate.widths, strict=False):
        side = -(-side // stage.stride)
        total += _convolutions(stage, inputs, width, side)
        inputs = width
    for transformers, width in zip(
        candidate.transformers, candidate.widths[len(candidate.convolutions) :], strict=True
    ):
        side = -(-side // transformers.stride)
        total += _transformers(transformers, inputs, width, side)
        inputs = width
    wide = FEATURES_EXPANSION * inputs
    return total + inputs * wide * side**2 + wide * candidate.features + candidate.features * candidate.classes


def _convolutions(stage: ConvolutionStage, inputs: int, width: int, side: int) -> int:
    total = 0
    for place in range(stage.depth):
        stride, middle = 1 if place else stage.stride, inputs * stage.expansion
        total += _mobile_block(inputs, width, side, kernel=stage.kernel, stride=stride, expansion=stage.expansion)
        total += 2 * middle * (middle // 4) * stage.squeeze
        total += inputs * width * side**2 * (stride > 1)
        inputs = width
    return total


def _mobile_block(inputs: int, width: int, side: int, *, kernel: int, stride: int, expansion: int) -> int:
    """Return what the three convolutions count for; without an expansion there are two."""
    middle = inputs * expansion
    return middle * (inputs * (stride * side) ** 2 * (expansion > 1) + kernel**2 * side**2 + width * side**2)


def _transformers(stage: TransformerStage, inputs: int, width: int, side: int) -> int:
    tokens, heads, values = side**2, width // HEAD_WIDTH, width * stage.v_scale
    scores = heads * tokens**2
    attention = scores * (HEAD_WIDTH + values // heads + 1) + tokens * (width * (2 * width + 2 * values) + values)
    feed_forward = 2 * width * stage.mlp_ratio * width * tokens
    reduction = _mobile_block(
        inputs, width, side, kernel=REDUCTION_KERNEL, stride=stage.stride, expansion=REDUCTION_EXPANSION
    )
    return reduction + stage.depth * (attention + feed_forward)
