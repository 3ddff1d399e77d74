"""Uniform schedules: every compressed block removes as many tokens, by merging or by pruning.

Merging so is what ToMe does (Bolya et al., ICLR 2023, section 3), though the merging itself is DiffRate's here.
"""

from __future__ import annotations

from collections.abc import Sequence

from spaces.token_compression.counts import published_macs_of
from spaces.token_compression.layouts import Layout

LEAST = 2
"""Tokens that stay in any case: the class token, and one that others can be merged into."""

HALVINGS = 40


def uniform_counts(layout: Layout, share: float) -> list[int]:
    """Return the tokens that each block keeps, for the most multiply-accumulates up to a share of the whole network's.

    Raises:
      ValueError: for a share out of bounds, or below what the fewest tokens need.
    """
    whole = [layout.tokens] * layout.depth
    most = share * published_macs_of(layout, whole, whole)
    few, many = 0.0, float(layout.tokens)
    if not 0 < share <= 1 or _macs(layout, _counts(layout, many)) > most:
        raise ValueError(f"share must be at most 1 and within reach of removing tokens, got {share}")
    for _ in range(HALVINGS):
        middle = (few + many) / 2
        if _macs(layout, _counts(layout, middle)) > most:
            few = middle
        else:
            many = middle
    return _counts(layout, many)


def _counts(layout: Layout, removed: float) -> list[int]:
    """Return the counts when so many tokens, and on average parts of one, leave in each block but the first."""
    return [max(LEAST, layout.tokens - int(removed * block + 0.5)) for block in range(layout.depth)]


def _macs(layout: Layout, counts: Sequence[int]) -> int:
    return published_macs_of(layout, counts, counts)
