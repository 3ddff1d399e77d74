"""Global magnitude pruning (Gupta et al., 2022), whose minimum a layer is of its released code, for whole channels.

The original prunes single weights. Here the units of all groups are ranked together by the size of their filters.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, sqrt

import numpy as np
from torch import nn

from spaces.pruning.importance import magnitudes
from spaces.pruning.prunable import Prunable


def global_magnitude(network: Prunable, model: nn.Module, share: float, *, least: float = 0.0) -> tuple[int, ...]:
    """Return the widths that leave a share of the multiply-accumulates when the smallest units of all groups go.

    A unit's size is the L2 norm of its filters over the square root of the group's mean square, so that layers of other
    fan-ins compare: without that, wide layers, whose weights are smaller, lose everything first. The threshold is
    where the budget is met; then single units move, see `spaces.pruning.budget`.

    Args:
      network: what is pruned.
      model: one of it, trained.
      share: of the whole network's multiply-accumulates, above 0 and at most 1.
      least: the share of each group that stays at least; one unit does.

    Raises:
      ValueError: where the share is out of bounds or out of reach.
    """
    sizes = [scores / max(sqrt(float((scores**2).mean())), 1e-12) for scores in magnitudes(model, network.channels)]
    widths = np.array([len(each) for each in sizes], float)
    floors = np.maximum(1, np.ceil(least * widths))
    full, rates = float(network.products(widths)), np.zeros(len(sizes))
    for threshold in np.sort(np.concatenate(sizes)):
        kept = np.maximum(floors, [(each > threshold).sum() for each in sizes])
        rates = 1 - kept / widths
        if float(network.products(kept)) <= share * full:
            break
    return network.within_macs(share, rates, least)


def with_minimum(counts: Sequence[int], sparsities: Sequence[float], target: float, least: int) -> tuple[float, ...]:
    """Return the sparsity of each layer when every layer keeps at least `least` weights: the paper's minimum threshold.

    Layers with no more than that are not pruned. All others are scaled until the whole is as sparse as `target`, and
    those that would fall below the minimum are set to it, in turn.

    Args:
      counts: the weights of each layer.
      sparsities: the share of each that plain global pruning takes away.
      target: the share of all weights that shall go, in [0, 1).
      least: the fewest that a layer keeps.

    Raises:
      ValueError: where the target cannot be reached.
    """
    n = np.array(counts, float)
    found = np.where(n < least, 0.0, np.array(sparsities, float))
    reachable = float(np.maximum(n - least, 0).sum() / n.sum())
    if target > reachable:
        raise ValueError(
            f"a sparsity of {target} leaves no {least} weights to each layer; at most {reachable:.6g} does"
        )
    held = np.zeros(len(n), bool)
    while True:
        scale = (target * n.sum() - (found * n)[held].sum()) / max((found * n)[~held].sum(), 1e-12)
        found = np.where(held, found, found * scale)
        short = ~held & (n > least) & ((1 - found) * n < least)
        if not short.any():
            return tuple(float(each) for each in found)
        found, held = np.where(short, 1 - least / n, found), held | short


def least_of(total: int, percent: float = 0.05) -> int:
    """Return the fewest weights that a layer keeps, by default of the paper's 0.05 % of all."""
    return floor(total * percent / 100)
