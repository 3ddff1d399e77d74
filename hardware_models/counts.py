"""Multiply-accumulates, weights, activations and layers of a network, counted exactly from its operators.

docs/costs.md compares the conventions with those of papers and other counters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from hardware_models.attention import attention_sizes, position_table
from hardware_models.kinds import EMBEDDINGS, LAYERS, NORMS, WEIGHTLESS
from hardware_models.op import DTYPE_BYTES, Op, kernel_area

METRICS = (
    "macs",
    "flops",
    "params",
    "params_without_norms",
    "params_weights_only",
    "weight_bytes",
    "activations",
)
"""What `Counts` can count, in the order of the functions below."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The hardware model that is the same on every device; whole numbers as floats.

    Attributes:
      metrics: which of `METRICS` it counts.

    Raises:
      ValueError: for another metric.
    """

    metrics: tuple[str, ...] = ("macs", "params")

    def __post_init__(self) -> None:
        for metric in self.metrics:
            if metric not in METRICS:
                raise ValueError(f"metric {metric!r} cannot be counted; expected some of {', '.join(METRICS)}")

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return the metrics of one image; see the functions of these names. ValueError as they raise it."""
        return dict(zip(self.metrics, map(float, _measure(_total(ops), self.metrics)), strict=True))

    def terms(self, op: Op) -> np.ndarray:
        """Return what `op` adds to each metric, float64 of shape (len(metrics),)."""
        return np.array(_measure(count(op), self.metrics), np.float64)

    def total(self, sums: np.ndarray) -> np.ndarray:
        """Return the metrics (n, len(metrics)) of n networks given the sums of their operators' terms: the sums."""
        return sums


class Count(NamedTuple):
    """What one operator counts for; a composite counts for the sum of its operators.

    Attributes:
      macs: multiply-accumulates of one image.
      weights: of layers, without biases, and learned embeddings, those of positions in attentions among them.
      biases: of layers.
      norms: scales and shifts of norms.
      weight_bytes: of all three, each at its operator's dtype.
      activations: numbers that layers put out.
      layers: those there are.
    """

    macs: int = 0
    weights: int = 0
    biases: int = 0
    norms: int = 0
    weight_bytes: int = 0
    activations: int = 0
    layers: int = 0


def macs(ops: Sequence[Op]) -> int:
    """Return the multiply-accumulates of one image: half of what `torch.utils.flop_counter` counts.

    Convolutions, linear layers and matrix products count, an attention as its two. Biases, normalisation, activations,
    softmax, pooling and additions do not. NAS-Bench-201's published numbers also count one for each bias addition, of
    which its networks have as many as classes: they are `macs(ops) + classes`.

    Raises:
      ValueError: for a plain operator of an unknown kind.
    """
    return _total(ops).macs


def flops(ops: Sequence[Op]) -> int:
    """Return the floating-point operations of one image: two for each of `macs`, and none for anything else."""
    return 2 * _total(ops).macs


def params(ops: Sequence[Op], *, norms: bool = True, biases: bool = True) -> int:
    """Return the trainable weights of layers, embeddings and norms (scale and shift).

    Running statistics are no weights. An operator that stands twice is taken for two layers with their own weights.

    Args:
      ops: the operators.
      norms: whether the norms' weights count: folded into layers they are gone, but each layer then has a bias.
      biases: whether the layers' biases count.

    Raises:
      ValueError: for a plain operator of an unknown kind.
    """
    total = _total(ops)
    return total.weights + norms * total.norms + biases * total.biases


def weight_bytes(ops: Sequence[Op], dtype: str | None = None) -> int:
    """Return the bytes of `params(ops)`, each weight at its operator's dtype, or all at the one that is given."""
    return _total(ops).weight_bytes if dtype is None else params(ops) * DTYPE_BYTES[dtype]


def activations(ops: Sequence[Op]) -> int:
    """Return the numbers that convolutions, linear layers and matrix products put out for one image.

    Radosavovic et al., CVPR 2020, count convolutions alone; all three are what `fvcore.nn.ActivationCountAnalysis`
    counts, from which timm's published tables are. An attention counts as its two products: scores and outputs.
    """
    return _total(ops).activations


def layers(ops: Sequence[Op]) -> int:
    """Return how many convolutions, linear layers, matrix products and attentions there are, within composites too."""
    return _total(ops).layers


@lru_cache(maxsize=65536)
def count(op: Op) -> Count:
    """Return what one operator counts for.

    Raises:
      ValueError: for a plain operator of an unknown kind or dtype.
    """
    if op.inner:
        return _total(op.inner)
    if op.kind in WEIGHTLESS:
        return Count()
    if op.dtype not in DTYPE_BYTES:
        raise ValueError(f"{op}: unknown dtype {op.dtype!r}; expected one of {', '.join(DTYPE_BYTES)}")
    found = _plain(op)
    return found._replace(weight_bytes=(found.weights + found.biases + found.norms) * DTYPE_BYTES[op.dtype])


def _total(ops: Sequence[Op]) -> Count:
    return Count(*map(sum, zip(*map(count, ops), strict=True))) if ops else Count()


def _measure(total: Count, metrics: Sequence[str]) -> list[int]:
    """Return the metrics in their order."""
    weights = total.weights + total.biases
    found = {
        "macs": total.macs,
        "flops": 2 * total.macs,
        "params": weights + total.norms,
        "params_without_norms": weights,
        "params_weights_only": total.weights,
        "weight_bytes": total.weight_bytes,
        "activations": total.activations,
    }
    return [found[metric] for metric in metrics]


def _plain(op: Op) -> Count:
    if op.kind in LAYERS:
        return _layer(op)
    if op.kind in NORMS:
        return Count(norms=2 * op.output[0 if op.kind in ("batch_norm2d", "group_norm") else -1])
    if op.kind in EMBEDDINGS:
        return Count(weights=op.output[-1] if op.kind == "class_token" else prod(op.output))
    raise ValueError(f"the operator {op} is of a kind that cannot be counted; expected one of hardware_models.kinds")


def _layer(op: Op) -> Count:
    numbers = prod(op.output)
    match op.kind:
        case "conv2d":
            weights = op.output[0] * (op.inputs[0][0] // op.groups) * kernel_area(op)
            macs = weights * prod(op.output[1:])
            return Count(macs, weights, op.output[0] * op.bias, activations=numbers, layers=1)
        case "linear":
            width = op.inputs[0][-1]
            biases = op.output[-1] * op.bias
            return Count(numbers * width, width * op.output[-1], biases, activations=numbers, layers=1)
        case "attention":
            sizes = attention_sizes(op)
            scores = op.heads * sizes.queries * sizes.keys
            macs = scores * (sizes.query_width + sizes.value_width)
            return Count(macs, prod(position_table(op)) * op.bias, activations=scores + numbers, layers=1)
        case "token_importance":
            width, tokens = op.inputs[0][1] // (3 if len(op.inputs) == 1 else 1), op.output[0]
            return Count(tokens * width, activations=tokens * op.heads, layers=1)
        case "token_merge":
            similarities = (op.inputs[0][0] - op.output[0]) * op.output[0]
            return Count(similarities * op.output[1], activations=similarities, layers=1)
    return Count(numbers * op.inputs[0][-1], activations=numbers, layers=1)
