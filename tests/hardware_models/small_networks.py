"""Chains of a few convolutions: networks that tests can afford to measure."""

from __future__ import annotations

from torch import nn

from hardware_models.op import Op, chain, conv2d, elementwise, linear

IMAGE = (3, 16, 16)


def chain_ops(width: int, depth: int) -> tuple[Op, ...]:
    """Return the operators of `chain_network`."""
    shape = (width, 16, 16)
    convs = [conv_bn_relu(IMAGE, width), *(conv_bn_relu(shape, width) for _ in range(depth - 1))]
    return (*convs, Op("global_avg_pool", (shape,), (width,)), linear((width,), 10))


def conv_bn_relu(shape: tuple[int, ...], width: int) -> Op:
    """Return a 3x3 convolution with norm and activation as one operator."""
    conv = conv2d(shape, width, 3)
    return chain("conv_bn_relu", conv, elementwise("batch_norm2d", conv.output), elementwise("relu", conv.output))


def chain_network(width: int, depth: int) -> nn.Module:
    """Return `depth` 3x3 convolutions of `width` channels on 16x16 images, and a classifier of 10 classes."""
    layers: list[nn.Module] = []
    for channels in (3, *[width] * (depth - 1)):
        conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        layers += [conv, nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
