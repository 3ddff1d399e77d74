"""Convolutions and linear layers as two smaller ones, by the best approximation of their weights of a lower rank.

A k x k convolution becomes one of `rank` filters and a 1x1 convolution behind it (scheme of Zhang et al., TPAMI 2016,
section 3, without its statistics of responses); a linear layer two linear layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.counts import count
from hardware_models.graph import Graph
from hardware_models.layer_costs import LayerCost, weighted
from hardware_models.op import Op, chain, kernel_area
from spaces.compression.compressed import Compression

if TYPE_CHECKING:
    from torch import nn


class LowRank(Compression):
    """Layers are factorised where that makes them smaller; grouped convolutions, and the last layer, stay.

    Attributes:
      share: the rank over the full one; the nearest whole number, at least 1.
    """

    share: float

    def apply(self, model: nn.Module) -> nn.Module:
        """Return `model` with two layers in place of each one that is factorised.

        Raises:
          ValueError: for a model whose weights are computed already: factorise first.
        """
        from spaces.compression.factors import factorised
        from spaces.compression.layers import layers_of

        for path, module in list(layers_of(model).items())[:-1]:
            if hasattr(module, "parametrizations"):
                raise ValueError(f"the weight of {path!r} is sparse or rounded already: put the low rank before that")
            rank = self._rank(module.weight.shape[0], module.weight[0].numel()) if _groups(module) == 1 else 0
            if rank:
                parent, _, name = path.rpartition(".")
                setattr(model.get_submodule(parent), name, factorised(module, rank))
        return model

    def compressed_ops(self, ops: Sequence[Op], *, ending: bool = True) -> Sequence[Op]:
        """Return the operators, a composite of two in place of each one that is factorised."""
        last = weighted(ops)[-1] if ending else None
        changed = [self._changed(op, last) for op in ops]
        return Graph(changed, ops.inputs, ops.wiring, ops.output) if isinstance(ops, Graph) else tuple(changed)

    def compressed_layers(self, layers: Sequence[LayerCost]) -> tuple[LayerCost, ...]:
        """Return the layers, two in place of each one that is factorised. Raises ValueError as `apply`."""
        found: list[LayerCost] = []
        for layer in layers[:-1]:
            if layer.weights != count(layer.op).weights:
                raise ValueError(f"{layer.op} is sparse already: put the low rank before that")
            parts = weighted([self._two(layer.op)])
            found += [replace(layer, op=op, weights=count(op).weights, macs=count(op).macs) for op in parts]
        return (*found, *layers[-1:])

    def _rank(self, outputs: int, inputs: int) -> int:
        """Return the rank of a weight (outputs, inputs); 0 where two factors would not be smaller."""
        rank = max(1, round(self.share * min(outputs, inputs)))
        return rank if rank * (outputs + inputs) < outputs * inputs else 0

    def _changed(self, op: Op, last: Op | None) -> Op:
        if op.inner:
            return replace(op, inner=tuple(self._changed(part, last) for part in op.inner))
        return op if op is last or op.kind not in ("conv2d", "linear") else self._two(op)

    def _two(self, op: Op) -> Op:
        """Return a plain layer's two factors as one operator, or itself."""
        convolution = op.kind == "conv2d"
        axis = 0 if convolution else -1
        inputs = op.inputs[0][axis] * (kernel_area(op) if convolution else 1)
        rank = self._rank(op.output[axis], inputs) if op.groups == 1 else 0
        if not rank:
            return op
        middle = (rank, *op.output[1:]) if convolution else (*op.output[:-1], rank)
        first = replace(op, output=middle, bias=False)
        if convolution:
            second = Op("conv2d", (middle,), op.output, 1, bias=op.bias, dtype=op.dtype)
        else:
            second = replace(op, inputs=(middle,))
        return chain(f"low_rank_{op.kind}", first, second)


def low_ranks(shares: Sequence[float] = (0.25, 0.5)) -> Any:
    """Return the space: layers as they are, or factors of one of these shares of the full rank.

    Raises:
      ValueError: for a share outside of (0, 1].
    """
    if not all(0 < share <= 1 for share in shares):
        raise ValueError(f"shares of the rank must be above 0 and at most 1, got {tuple(shares)}")
    return pg.oneof([None, *(LowRank(share) for share in shares)])


def _groups(module: Any) -> int:
    return int(getattr(module, "groups", 1))
