"""Low rank, sparsity and bit-widths beside an open architecture, in the order in which they can be applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyglove as pg

from spaces.compression.binary import BINARISERS, binarisers
from spaces.compression.bit_width import bit_widths
from spaces.compression.low_rank import low_ranks
from spaces.compression.sparsity import sparsities


class Several(pg.Object):  # type: ignore[misc]
    """Compressions one after another, None for those that are not made.

    Attributes:
      parts: in their order.
    """

    parts: list[Any]

    def applied_to(self, architecture: Any) -> Any:
        """Return the compressed candidate; the architecture itself where nothing is done."""
        for part in self.parts:
            architecture = architecture if part is None else part.applied_to(architecture)
        return architecture


def compressions(
    *,
    ranks: Sequence[float] = (0.25, 0.5),
    shares: Sequence[float] = (0.5, 0.75, 0.9),
    patterns: Sequence[tuple[int, int]] = ((2, 4),),
    weights: Sequence[int] = (8, 4, 2),
    activations: Sequence[int] = (32, 8),
    binary: Sequence[str] = BINARISERS,
) -> Any:
    """Return the space: a low rank or none; then zeros or none with few bits or all, or one bit.

    `pg.Dict(architecture=..., pruning=pruning_rates(), compression=compressions(), training=hyperparameters())` is one
    space of all of it; `evaluators.costed.Costed` gives the metrics that it changes. An empty
    list leaves a way out.

    Args:
      ranks: shares of the full rank.
      shares: of a layer's weights that are zero.
      patterns: N of M weights that are left.
      weights, activations: bits of either.
      binary: binarisers.

    Raises:
      ValueError: for what is out of bounds.
    """
    finer = bit_widths(weights, activations) if weights else None
    thinned = Several([sparsities(shares, patterns), finer])
    ones = [pg.clone(each, deep=True) for each in binarisers(binary).candidates if each is not None]
    return Several([low_ranks(ranks), pg.oneof([thinned, *ones]) if ones else thinned])
