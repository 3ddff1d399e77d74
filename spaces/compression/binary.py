"""Weights and inputs of one bit, by four of the binarisers that BiBench compares (Qin et al., ICML 2023).

`bnn`: signs, no scale (Courbariaux et al., 2016). `xnor`: weights x the mean size of their output channel, inputs x the
mean size of an image's (Rastegari et al., ECCV 2016). `dorefa`: weights x the mean size of the layer's (Zhou et al.,
2016). `bireal`: `xnor`'s weights, and a gradient of inputs that is 2 - 2|x| (Liu et al., ECCV 2018). The benchmark's
other four, which learn or schedule something, are not here. Inputs are brought to a mean of 0 first, which is this
project's: behind a ReLU all would have the sign of 1, and the benchmark's networks have none there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.counts import count
from hardware_models.layer_costs import LayerCost
from spaces.compression.compressed import Compression

if TYPE_CHECKING:
    from torch import nn

BINARISERS = ("bnn", "xnor", "dorefa", "bireal")


class Binary(Compression):
    """All layers but the first and the last have signs for weights and inputs.

    Attributes:
      binariser: one of `BINARISERS`.
    """

    binariser: str

    def apply(self, model: nn.Module) -> nn.Module:
        """Return `model` with signs in its inner layers.

        Raises:
          ValueError: for a model whose weights are sparse or rounded already: a sign is never 0.
        """
        from spaces.compression.layers import change_inputs, compute_weights, layers_of
        from spaces.compression.signs import SignWeight, centred, sign_inputs

        for path, module in list(layers_of(model).items())[1:-1]:
            if hasattr(module, "parametrizations"):
                raise ValueError(f"the weight of {path!r} is sparse or rounded already, and a sign is never 0")
            compute_weights(module, SignWeight(self.binariser))
            change_inputs(module, lambda inputs: sign_inputs(centred(inputs), self.binariser))
        return model

    def compressed_layers(self, layers: Sequence[LayerCost]) -> tuple[LayerCost, ...]:
        """Return the layers, the inner ones of one bit; scales are not counted. Raises ValueError for sparse ones."""
        if any(layer.weights != count(layer.op).weights for layer in layers):
            raise ValueError("some layers are sparse already, and a sign is never 0: have zeros or one bit, not both")
        inner = [replace(layer, weight_bits=1, activation_bits=1) for layer in layers[1:-1]]
        return (*layers[:1], *inner, *layers[1:][-1:])


def binarisers(names: Sequence[str] = BINARISERS) -> Any:
    """Return the space: full precision, or one of these binarisers.

    Raises:
      ValueError: for an unknown name.
    """
    unknown = [name for name in names if name not in BINARISERS]
    if unknown:
        raise ValueError(f"unknown binariser {unknown[0]!r}; there are {', '.join(BINARISERS)}")
    return pg.oneof([None, *(Binary(name) for name in names)])
