"""Pruning rates of networks that are themselves searched: one for each resolution, beside an open architecture.

A network's own groups of channels (`spaces.lapp`) are only known once it is decoded. So the decisions are of stages,
which any network has: `pg.Dict(architecture=mbconv(), pruning=pruning_rates())`. That there is one rate a stage is this
project's choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import pyglove as pg

from spaces.compression.cut import CutNetwork
from spaces.compression.rated_units import RatedUnits
from spaces.lapp import Pruned, open_rates

if TYPE_CHECKING:
    from spaces.pruning.prunable import Prunable

RATES = (0.0, 0.25, 0.5)

REMEMBERED = 512
"""Architectures whose channels are kept; following them takes some 20 ms."""


class PruningRates(pg.Object):  # type: ignore[misc]
    """How much of each stage is removed.

    A stage is what a network computes at one resolution. A group of channels belongs to that of the first layer which
    makes it; one without a resolution, of linear layers, to the last.

    Attributes:
      rates: of the stages, from the largest resolution to the smallest; the last is also that of all further ones.
      multiple: kept channels are a multiple of this, where a group has as many.
    """

    rates: list[float]
    multiple: int = 1

    def applied_to(self, architecture: Any) -> Any:
        """Return the pruned network of a candidate that has `build()` and `input_shape`.

        A transformer that runs with fewer tokens loses heads and neurons, by the first rate: it has one resolution.

        Raises:
          ValueError: for a network that `torch.fx` cannot trace or that has nothing to prune, and for one whose weights
            are compressed already.
        """
        if hasattr(architecture, "layer_costs") and not isinstance(architecture, CutNetwork):
            raise ValueError("channels are pruned before weights are compressed: let pruning stand first in the space")
        if hasattr(architecture, "cut_by"):
            return architecture.cut_by(RatedUnits(float(self.rates[0]), self.multiple))
        network = _prunable(_Key(architecture))
        last = len(self.rates) - 1
        chosen = [float(self.rates[min(stage, last)]) for stage in stages(network)]
        return Pruned(
            network, {group.name: rate for group, rate in zip(network.groups, chosen, strict=True)}, self.multiple
        )


def pruning_rates(stages: int = 3, rates: Sequence[float] | Any = RATES, *, multiple: int = 1) -> Any:
    """Return the space: a rate for each of so many stages.

    Args:
      stages: resolutions that have a rate of their own.
      rates: which rates each may have, or a `pg.floatv(...)` for any in between.
      multiple: kept channels are rounded to a multiple of this.

    Raises:
      ValueError: for no stage, rates outside of [0, 1), and a multiple below 1.
    """
    if min(stages, multiple) < 1:
        raise ValueError(f"stages and multiple must be at least 1, got {stages} and {multiple}")
    return PruningRates([open_rates(rates) for _ in range(stages)], multiple)


def stages(network: Prunable) -> tuple[int, ...]:
    """Return the stage of each of a network's groups, from 0."""
    found = network.channels
    areas = {
        str(node.target): _positions(found.shapes[node.name])
        for node in found.traced.graph.nodes
        if node.op == "call_module" and len(found.shapes.get(node.name, ())) > 2
    }
    ranks = {area: rank for rank, area in enumerate(sorted(set(areas.values()), reverse=True))}
    made_by = (group.name.partition("#")[0] for group in network.groups)
    return tuple(ranks[areas[path]] if path in areas else len(ranks) for path in made_by)


def _positions(shape: tuple[int, ...]) -> int:
    """Return at how many places a value of an image (n, channels, ...) or of tokens (n, tokens, channels) is."""
    return shape[1] if len(shape) == 3 else prod(shape[2:])


class _Key:
    """An architecture by what it is: symbolic values may be changed, and used again, after they were looked at."""

    def __init__(self, architecture: Any) -> None:
        self.architecture, self._text = architecture, pg.to_json_str(architecture)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=REMEMBERED)
def _prunable(key: _Key) -> Prunable:
    import torch

    from spaces.pruning.prunable import Prunable

    key.architecture = pg.clone(key.architecture, deep=True)
    with torch.random.fork_rng(devices=[]):
        return Prunable(key.architecture.build, tuple(key.architecture.input_shape))
