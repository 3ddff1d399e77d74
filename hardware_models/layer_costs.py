"""What compressed networks hold and compute, layer by layer: exact, whatever engine runs them.

Bit operations are multiply-accumulates x bits of a weight x bits of an activation, the measure of papers on
quantisation. Weights that are zero are neither held nor multiplied; what it takes to say where they are is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hardware_models.counts import count
from hardware_models.op import Op

FLOAT_BITS = 32


@dataclass(frozen=True, slots=True)
class LayerCost:
    """A convolution or linear layer.

    Attributes:
      op: its operator.
      weights: that are held, biases left out.
      macs: multiply-accumulates of one image with those.
      weight_bits, activation_bits: of a number.
    """

    op: Op
    weights: int
    macs: float
    weight_bits: int = FLOAT_BITS
    activation_bits: int = FLOAT_BITS


def layer_costs(architecture: Any) -> tuple[LayerCost, ...]:
    """Return the layers of a candidate: its own `layer_costs()`, or those that its operators are."""
    if hasattr(architecture, "layer_costs"):
        own: tuple[LayerCost, ...] = architecture.layer_costs()
        return own
    return tuple(LayerCost(op, count(op).weights, count(op).macs) for op in weighted(architecture.ops()))


def weighted(ops: Iterable[Op]) -> list[Op]:
    """Return the plain operators that hold a layer's weights, in the order they run."""
    found = []
    for op in ops:
        if op.inner:
            found += weighted(op.inner)
        elif op.kind in ("conv2d", "linear"):
            found.append(op)
    return found


def totals(layers: Sequence[LayerCost]) -> dict[str, float]:
    """Return `held_weights`, `weight_bytes`, `sparse_macs` and `bit_operations` of a network's layers."""
    return {
        "held_weights": float(sum(layer.weights for layer in layers)),
        "weight_bytes": sum(layer.weights * layer.weight_bits for layer in layers) / 8,
        "sparse_macs": float(sum(layer.macs for layer in layers)),
        "bit_operations": float(sum(layer.macs * layer.weight_bits * layer.activation_bits for layer in layers)),
    }
