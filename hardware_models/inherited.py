"""Weights of a network within those of a larger one that has the same names: what a supernet's networks share.

Channels are the leading ones; kernels of convolutions, and tables of relative positions, are the middle ones
(Tang et al., ICCV 2023, and its code; leading channels as in Cai et al., ICLR 2020, section 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

SPATIAL_FROM = 3
"""Axes from which on a tensor's last two are places: (outputs, inputs, height, width), (heads, height, width)."""


def part_of(whole: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a view of `whole` that has this shape.

    Raises:
      ValueError: for other axes or a larger shape.
    """
    if len(shape) != whole.dim() or any(size > most for size, most in zip(shape, whole.shape, strict=True)):
        raise ValueError(f"weights of shape {tuple(shape)} do not lie within {tuple(whole.shape)}")
    places = len(shape) - 2 if len(shape) >= SPATIAL_FROM else len(shape)
    view = whole
    for axis, size in enumerate(shape):
        start = (whole.shape[axis] - size) // 2 if axis >= places else 0
        view = view.narrow(axis, start, size)
    return view


def inherit(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy a larger network's weights and statistics into `network`.

    Raises:
      ValueError: for what the larger network does not have, or has smaller.
    """
    own = network.state_dict()
    missing = own.keys() - weights.keys()
    if missing:
        raise ValueError(f"the larger network has no {', '.join(sorted(missing))}")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(part_of(weights[name], tensor.shape))
