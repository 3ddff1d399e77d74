"""Token counts that meet a budget of multiply-accumulates: this project's own step, as learned ones only near it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spaces.pruning.budget import TOLERANCE, Budget
from spaces.token_compression.counts import published_macs
from spaces.token_compression.layouts import Layout


def counts_within(
    layout: Layout, share: float, wished: Sequence[float], allowed: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Return what each block keeps when it prunes, and when it merges, nearest to a share of the whole network's MACs.

    All counts but those with one choice are moved by as much; then one after another takes its next choice, then two at
    once, while that comes nearer.

    Args:
      layout: of the transformer.
      share: of the multiply-accumulates of `spaces.token_compression.counts.published_macs`, in (0, 1].
      wished: what is moved: each block's count when it prunes, then each block's when it merges; need not be whole.
      allowed: the counts, ascending, that each of these may become.

    Raises:
      ValueError: where the fewest tokens take more than the share by over 1 %.
    """
    choices = [np.asarray(each) for each in allowed]
    moved = [place for place, each in enumerate(choices) if len(each) > 1]
    fixed = np.array([each[-1] for each in choices], np.int64)

    def counts(taken: np.ndarray) -> np.ndarray:
        """Return the counts (n, 2 x depth) of choices taken, from 1 on, (n, moved)."""
        found = np.repeat(fixed[None], len(taken), 0)
        for column, place in enumerate(moved):
            found[:, place] = choices[place][taken[:, column].astype(int) - 1]
        return found

    def macs(taken: np.ndarray) -> np.ndarray:
        steps = np.minimum(layout.tokens, counts(taken).reshape(len(taken), 2, layout.depth).min(1))
        leaving = list(np.minimum.accumulate(steps, 1).astype(float).T)
        return np.asarray(published_macs(layout, [np.full(len(taken), float(layout.tokens)), *leaving[:-1]], leaving))

    whole = [layout.tokens] * layout.depth
    full = np.array([len(choices[place]) for place in moved])
    amount = float(published_macs(layout, whole, whole))
    if (least := macs(np.ones((1, len(full))))[0]) > share * amount * (1 + TOLERANCE):
        raise ValueError(f"keep must be at least {least / amount:.4f}, what the fewest tokens take, got {share}")
    taken = [1 + np.interp(wished[place], choices[place], np.arange(len(choices[place]))) for place in moved]
    budget = Budget(macs, share * amount, full, np.ones(len(full)))
    found = counts(np.array([budget.widths(1 - np.array(taken) / full)]))[0]
    return [found[: layout.depth].tolist(), found[layout.depth :].tolist()]
