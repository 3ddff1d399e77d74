"""Weights at zero: any of a layer's, or N of each M in a row, the pattern that sparse tensor cores read.

N:M: Mishra et al., 2021 (arXiv 2104.08378), section 2; gradients reach all weights, so that the zeros may move while a
network trains, as in Zhou et al., ICLR 2021, section 3 (whose regularisation of pruned weights is left out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.layer_costs import LayerCost
from hardware_models.op import Op
from spaces.compression.compressed import Compression

if TYPE_CHECKING:
    from torch import Tensor, nn


class Unstructured(Compression):
    """The smallest weights of each layer are zero.

    Attributes:
      share: of a layer's weights that are; the nearest whole number of them.
    """

    share: float

    def apply(self, model: nn.Module) -> nn.Module:
        """Return `model`, whose layers use only their largest weights of now."""
        from spaces.compression.layers import Computed, compute_weights, layers_of

        for module in layers_of(model).values():
            compute_weights(module, Computed(self._largest))
        return model

    def compressed_layers(self, layers: Sequence[LayerCost]) -> tuple[LayerCost, ...]:
        """Return the layers with what is not zero."""
        return tuple(_left(layer, layer.weights - round(self.share * layer.weights)) for layer in layers)

    def _largest(self, weight: Tensor) -> Tensor:
        import torch

        gone = weight.abs().flatten().argsort(stable=True)[: round(self.share * weight.numel())]
        mask = torch.ones(weight.numel(), dtype=weight.dtype, device=weight.device).index_fill(0, gone, 0.0)
        return weight * mask.view_as(weight)


class NOfM(Compression):
    """Of each M weights in a row, over the inputs of an output channel, the N largest are left.

    A layer whose inputs of an output channel are no multiple of M, as a depthwise convolution's 9, stays as it is.

    Attributes:
      n, m: the pattern, 2 and 4 where hardware reads it.
    """

    n: int = 2
    m: int = 4

    def apply(self, model: nn.Module) -> nn.Module:
        """Return `model`, whose layers use only their largest weights of now."""
        from spaces.compression.layers import Computed, compute_weights, layers_of

        for module in layers_of(model).values():
            if module.weight.shape[1] % self.m == 0:
                compute_weights(module, Computed(self._largest))
        return model

    def compressed_layers(self, layers: Sequence[LayerCost]) -> tuple[LayerCost, ...]:
        """Return the layers with what is not zero."""
        return tuple(
            _left(layer, layer.weights * self.n // self.m) if _inputs(layer.op) % self.m == 0 else layer
            for layer in layers
        )

    def _largest(self, weight: Tensor) -> Tensor:
        import torch

        ordered = weight.movedim(1, -1)
        parts = ordered.reshape(-1, self.m)
        kept = parts.abs().argsort(dim=1, descending=True, stable=True)[:, : self.n]
        mask = torch.zeros_like(parts).scatter(1, kept, 1.0).view(ordered.shape).movedim(-1, 1)
        return weight * mask


def sparsities(
    shares: Sequence[float] = (0.5, 0.75, 0.9), patterns: Sequence[tuple[int, int]] = ((2, 4), (1, 4))
) -> Any:
    """Return the space: nothing, a share of unstructured zeros, or a pattern of N:M.

    Raises:
      ValueError: for a share outside of (0, 1), and a pattern that leaves nothing or all.
    """
    if not all(0 < share < 1 for share in shares) or not all(0 < n < m for n, m in patterns):
        raise ValueError(f"expected shares in (0, 1) and patterns (n, m) with 0 < n < m, got {shares} and {patterns}")
    return pg.oneof([None, *(Unstructured(share) for share in shares), *(NOfM(n, m) for n, m in patterns)])


def _left(layer: LayerCost, weights: int) -> LayerCost:
    return replace(layer, weights=weights, macs=layer.macs * weights / layer.weights)


def _inputs(op: Op) -> int:
    """Return the input channels of each output channel."""
    return op.inputs[0][0] // op.groups if op.kind == "conv2d" else op.inputs[0][-1]
