"""Weights and activations of few bits, as fake quantisation: numbers are rounded, and computed with in floating point.

Uniform and symmetric for weights, an output channel at a time; from least to most for activations, a batch at a time
(Jacob et al., CVPR 2018, section 2, whose ranges of activations are averages). Gradients go straight through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.layer_costs import FLOAT_BITS, LayerCost
from spaces.compression.compressed import Compression

if TYPE_CHECKING:
    from torch import Tensor, nn


class BitWidth(Compression):
    """Each layer's weights and inputs are rounded.

    Attributes:
      weights, activations: bits, from 2 to 8; 32 leaves the numbers as they are.
    """

    weights: int
    activations: int = FLOAT_BITS

    def apply(self, model: nn.Module) -> nn.Module:
        """Return `model` with rounded weights and inputs of its layers."""
        from spaces.compression.layers import Computed, change_inputs, compute_weights, layers_of

        for module in layers_of(model).values():
            if self.weights < FLOAT_BITS:
                compute_weights(module, Computed(lambda weight: rounded_weights(weight, self.weights)))
            if self.activations < FLOAT_BITS:
                change_inputs(module, lambda inputs: rounded_inputs(inputs, self.activations))
        return model

    def compressed_layers(self, layers: Sequence[LayerCost]) -> tuple[LayerCost, ...]:
        """Return the layers with these bits."""
        return tuple(replace(layer, weight_bits=self.weights, activation_bits=self.activations) for layer in layers)


def rounded_weights(weight: Tensor, bits: int) -> Tensor:
    """Return weights (output channels, ...) as multiples of their channel's largest over 2^(bits - 1) - 1."""
    most = 2 ** (bits - 1) - 1
    largest = weight.detach().abs().flatten(1).amax(1).clamp(min=1e-12).view(-1, *[1] * (weight.ndim - 1))
    step = largest / most
    rounded: Tensor = (weight / step).round() * step
    return rounded


def rounded_inputs(inputs: Tensor, bits: int) -> Tensor:
    """Return numbers rounded to 2^bits levels from the least to the most; their gradient goes straight through."""
    from spaces.compression.layers import straight_through

    low, high = inputs.detach().amin().clamp(max=0), inputs.detach().amax().clamp(min=0)
    step = ((high - low) / (2**bits - 1)).clamp(min=1e-12)
    zero = (low / step).round()
    return straight_through(inputs, ((inputs / step).round() - zero).clamp(0, 2**bits - 1).add(zero) * step)


def bit_widths(weights: Sequence[int] = (8, 4, 2), activations: Sequence[int] = (32, 8, 4)) -> Any:
    """Return the space: full precision, or bits of weights and of activations.

    Raises:
      ValueError: for bits that are not from 2 to 8, or 32; one bit is a choice of `spaces.compression.binary`.
    """
    for bits in (*weights, *activations):
        if not (2 <= bits <= 8 or bits == FLOAT_BITS):
            raise ValueError(f"bits must be from 2 to 8, or 32, got {bits}")
    return pg.oneof([None, BitWidth(pg.oneof(list(weights)), pg.oneof(list(activations)))])
