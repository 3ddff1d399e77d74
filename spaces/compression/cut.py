"""Transformers of which units are cut: which ones a score says, once for each architecture, so that costs are exact."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyglove as pg

from hardware_models.counts import count
from hardware_models.layer_costs import LayerCost, weighted
from hardware_models.op import Op
from spaces.compression.compressed import Compressed, Compression

if TYPE_CHECKING:
    from torch import nn

    from spaces.compression.vit_cut import Units

REMEMBERED = 4096
"""Decisions that are kept; one takes from a second to minutes."""

SEED = 0
"""Of the weights on which a decision is made where an architecture draws them."""


class Cut(Compression):
    """A decision which units of a vision transformer stay, by scores of its weights on some images."""

    def applied_to(self, architecture: Any) -> Any:
        """Return the smaller candidate: what the architecture's own `cut_by(choice)` gives, where it has one.

        An architecture has one that runs a transformer in its own way, as with fewer tokens, and does so with a cut one
        too; any other's `build()` returns the transformer itself.

        Raises:
          ValueError: for an architecture whose weights are compressed already.
        """
        if hasattr(architecture, "layer_costs"):
            raise ValueError("units are cut before weights are compressed: let the cut stand before that in the space")
        if hasattr(architecture, "cut_by"):
            return architecture.cut_by(self.clone())
        return CutNetwork(architecture, self.clone())

    @property
    def scorer(self) -> Scorer | None:
        """What scores units before the decision, the same for all that decide from its scores; None for nothing."""
        return None

    @abstractmethod
    def units(self, model: nn.Module, scores: Any = None) -> Units:
        """Return which units of `model` stay, which is left as it is, by the `scorer`'s scores of it if they are given.

        Raises:
          ValueError: for a model that cannot be cut.
        """

    def apply(self, model: nn.Module) -> nn.Module:
        """Return the smaller transformer, of the units that its own weights choose. Raises ValueError as `units`."""
        from spaces.compression.vit_cut import cut

        return cut(model, self.units(model))


class Scorer(pg.Object):  # type: ignore[misc]
    """Scores of a transformer's units, which take long and which several choices share."""

    @abstractmethod
    def scores(self, model: nn.Module) -> Any:
        """Return the scores of `model`, which is left as it is. ValueError for one that cannot be cut."""


class CutNetwork(Compressed):
    """A cut transformer. What stays is decided once, on the weights that its architecture has with a fixed seed.

    So its costs are exact and known before it is built, and all of its builds have the same shape. Where the
    architecture reads trained weights, these decide.
    """

    def build(self, weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return the network; weights as of `Compressed`."""
        from spaces.compression.vit_cut import cut

        return cut(self.built(weights), decided(self.architecture, self.architecture.build, self.choice))

    def ops(self) -> Sequence[Op]:
        """Return the operators that the built network runs, as a graph. Raises ValueError where it cannot be costed."""
        return _ops(_Decision(self.architecture, self.architecture.build, self.choice))

    def layer_costs(self) -> tuple[LayerCost, ...]:
        """Return what each layer holds and computes: all of its weights."""
        return tuple(LayerCost(op, count(op).weights, count(op).macs) for op in weighted(self.ops()))


def decided(transformer: Any, make: Callable[[], nn.Module], choice: Cut) -> Units:
    """Return which units of a transformer stay, decided once for what its symbolic JSON and the choice's say.

    Args:
      transformer: what PyGlove can write as JSON.
      make: returns it as a network; weights that it draws are drawn with a fixed seed.
      choice: whose `units` decide.

    Raises:
      ValueError: as `Cut.units`.
    """
    return _units(_Decision(transformer, make, choice))


class _Decision:
    """A transformer and what decides by what they are: symbolic values may be changed after they were looked at."""

    def __init__(self, transformer: Any, make: Callable[[], nn.Module], choice: Any) -> None:
        self.transformer, self.make, self.choice = transformer, make, choice
        self._text = pg.to_json_str(transformer) + pg.to_json_str(choice)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Decision) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def model(self) -> nn.Module:
        """Return the transformer, each time with the same weights."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            return self.make()


@lru_cache(maxsize=REMEMBERED)
def _scores(decision: _Decision) -> Any:
    return decision.choice.scores(decision.model())


@lru_cache(maxsize=REMEMBERED)
def _units(decision: _Decision) -> Units:
    scorer = decision.choice.scorer
    scores = None if scorer is None else _scores(_Decision(decision.transformer, decision.make, scorer))
    units: Units = decision.choice.units(decision.model(), scores)
    return units


@lru_cache(maxsize=REMEMBERED)
def _ops(decision: _Decision) -> Sequence[Op]:
    from spaces.compression.vit_cut import cut
    from spaces.pruning.channels import channels
    from spaces.pruning.operators import Operators

    smaller = cut(decision.model(), _units(decision))
    found = channels(smaller, tuple(decision.transformer.input_shape))
    return Operators(found).graph([group.width for group in found.groups])
