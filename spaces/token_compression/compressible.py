"""A vision transformer whose tokens can be compressed: what a space of token counts is about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyglove as pg

from spaces._published import find
from spaces.token_compression.budget import counts_within
from spaces.token_compression.counts import published_macs
from spaces.token_compression.layouts import LAYOUTS, Layout

if TYPE_CHECKING:
    from torch import nn

    from spaces.compression.cut import Cut


class Compressible(pg.JSONConvertible):  # type: ignore[misc]
    """A transformer's sizes and what makes it. It does not change.

    A space holds what makes the model, never its weights: every process makes its own.

    Attributes:
      layout: its sizes.
      space_identity: a SHA-256 in hex of what makes it, its layers and its sizes.
    """

    def __init__(self, vit: str | Layout | Callable[[], nn.Module]) -> None:
        """Take a layout's name, a layout, or a function without arguments that makes a model; it is called once.

        Raises:
          TypeError: where the function makes no module.
          ValueError: for a name that no layout has, or a model of no known kind: see `spaces.networks.vit_parts`.
        """
        self.vit = find(LAYOUTS, vit) if isinstance(vit, str) else vit
        layers: list[str] = []
        if isinstance(self.vit, Layout):
            self.layout = self.vit
        else:
            self.layout, layers = _look_at(self.vit)
        self.space_identity = hashlib.sha256("\n".join([self._name, repr(self.layout), *layers]).encode()).hexdigest()

    def __deepcopy__(self, memo: object) -> Compressible:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Compressible, (self.vit,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Compressible) and self.space_identity == other.space_identity

    def __hash__(self) -> int:
        return hash(self.space_identity)

    def to_json(self, **options: Any) -> Any:
        """Return what it is as plain data, to be read by people: it cannot be made from that."""
        named = {"make": self._name, "layout": asdict(self.layout), "space_identity": self.space_identity}
        return self.to_json_dict(named, **options)

    @property
    def _name(self) -> str:
        return "ViT" if isinstance(self.vit, Layout) else str(getattr(self.vit, "__qualname__", type(self.vit)))

    def __repr__(self) -> str:
        return f"Compressible({self._name}, {self.layout})"

    def make(self, weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return a new whole model, with these weights, or with those that it is made with.

        A model of torchvision's is returned as this project's, see `spaces.networks.torchvision_vit`.
        """
        from spaces.networks.torchvision_vit import as_vit
        from spaces.networks.vit import ViT

        model = ViT(self.vit) if isinstance(self.vit, Layout) else as_vit(self.vit())
        if weights is not None:
            model.load_state_dict(weights)
        return model

    @property
    def whole(self) -> Compressible:
        """The transformer with all of its units."""
        return self

    def cut_by(self, choice: Cut) -> Compressible:
        """Return the transformer without the units that a choice removes; see `CutCompressible`."""
        from spaces.token_compression.cut_units import CutCompressible

        return CutCompressible(self, choice)

    def compressed(self, model: nn.Module, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> nn.Module:
        """Return a network that runs `model` and keeps so many tokens in each block."""
        from spaces.networks.compressed_vit import CompressedViT

        return CompressedViT(model, prune_kept, merge_kept)

    def masked(self, model: nn.Module) -> nn.Module:
        """Return a network that runs `model` and masks tokens; see `spaces.networks.masked_vit`."""
        from spaces.networks.masked_vit import MaskedViT

        return MaskedViT(model)

    def published_macs(self, entering: Sequence[Any], leaving: Sequence[Any]) -> Any:
        """Return the paper's multiply-accumulates, of numbers or tensors; see `spaces.token_compression.counts`."""
        return published_macs(self.layout, entering, leaving)

    def within(self, share: float, wished: Sequence[float], allowed: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the counts nearest to a share of `published_macs`; see `spaces.token_compression.budget`."""
        return counts_within(self.layout, share, wished, allowed)


def _look_at(make: Callable[[], nn.Module]) -> tuple[Layout, list[str]]:
    from torch import nn

    from spaces.networks.torchvision_vit import as_vit
    from spaces.networks.vit_parts import layout_of

    model = make()
    if not isinstance(model, nn.Module):
        raise TypeError(f"{make!r} returned a {type(model).__name__}; expected a function that makes a torch module")
    named = model.named_modules()
    return layout_of(as_vit(model)), [f"{path}={module!r}" for path, module in named if not list(module.children())]
