"""Which units of a vision transformer are cut, and by whose rule, as one decision of a joint space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyglove as pg

from spaces.compression.examples import Batch, Examples
from spaces.compression.global_dimensions import GlobalDimensions
from spaces.compression.optin_units import OptinUnits


def vit_units(
    batch: Batch,
    *,
    macs: Sequence[float] = (0.4, 0.6, 0.8),
    latencies: Sequence[float] = (0.5, 0.75),
    model: Any = None,
) -> Any:
    """Return the space: all units, OPTIN's choice within a share, or global pruning of dimensions within a share.

    Args:
      batch: returns the examples that scores are computed on, see `spaces.compression.examples.Batch`.
      macs: shares of the multiply-accumulates of heads and neurons, for `OptinUnits`.
      latencies: shares of the latency of all blocks, for `GlobalDimensions`.
      model: what gives that latency, see there.

    Raises:
      ValueError: for a share outside of (0, 1).
      TypeError: for examples that are no function.
    """
    wrong = [share for share in (*macs, *latencies) if not 0 < share < 1]
    if wrong:
        raise ValueError(f"shares must be above 0 and below 1, got {wrong[0]}")
    examples = Examples(batch)
    by_macs = [OptinUnits(share, examples) for share in macs]
    return pg.oneof([None, *by_macs, *(GlobalDimensions(share, examples, model) for share in latencies)])
