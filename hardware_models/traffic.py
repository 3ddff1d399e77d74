"""What an operator reads from and writes to memory: the bytes that estimates of latency and energy are made from."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

from hardware_models.counts import count
from hardware_models.kinds import ACTIVATIONS, NORMS, VIEWS
from hardware_models.op import DTYPE_BYTES, Op

FREE_WITHIN = ACTIVATIONS | NORMS
"""Kinds that a composite's layers take in: folded into their weights, or computed before a result is written."""


class Work(NamedTuple):
    """What one kernel does for one image.

    Attributes:
      macs: multiply-accumulates.
      weight_bytes: read once, however many images there are.
      activation_bytes: inputs read and outputs written.
      dtype: that it computes in.
    """

    macs: int
    weight_bytes: int
    activation_bytes: int
    dtype: str

    def moved_bytes(self, batch: int = 1) -> int:
        """Return all bytes that cross to or from memory for a batch of images."""
        return self.weight_bytes + batch * self.activation_bytes


@lru_cache(maxsize=65536)
def works(op: Op, dtype: str | None = None, fused: bool = True) -> tuple[Work, ...]:
    """Return the kernels that run `op`: one for a plain operator, none for a view.

    A composite is its operators one after another. Each tensor is read once and written once by each kernel: caches are
    as large as one operator needs and hold nothing from one operator to the next.

    Args:
      op: the operator.
      dtype: of everything; each operator's own where it is None.
      fused: whether norms and activations within a composite cost nothing, as where an engine folds them into their
        neighbours; if not, each is a kernel of its own, as in PyTorch by default.

    Raises:
      ValueError: for a kind or dtype that is unknown.
    """
    if op.inner:
        run = [part for part in op.inner if not (fused and part.kind in FREE_WITHIN)]
        return tuple(work for part in run for work in works(part, dtype, fused))
    if op.kind in VIEWS:
        return ()
    found, kept = count(op), dtype or op.dtype
    if kept not in DTYPE_BYTES:
        raise ValueError(f"{op}: unknown dtype {kept!r}; expected one of {', '.join(DTYPE_BYTES)}")
    weights = found.weights + found.biases + found.norms
    numbers = sum(map(prod, op.inputs)) + prod(op.output)
    return (Work(found.macs, weights * DTYPE_BYTES[kept], numbers * DTYPE_BYTES[kept], kept),)
