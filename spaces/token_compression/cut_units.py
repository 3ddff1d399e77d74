"""Transformers whose tokens can be compressed, and of which units are cut: what stays is decided on all tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyglove as pg

from spaces.compression.cut import Cut, decided
from spaces.token_compression.compressible import Compressible
from spaces.token_compression.layouts import Block, Layout

if TYPE_CHECKING:
    from torch import nn

    from spaces.compression.vit_cut import Units


class CutCompressible(Compressible):
    """A transformer without some of its units.

    What stays is decided once, on the weights that the whole is made with, each image having all of its tokens: it does
    not hang on how many are removed. So token counts and units are decisions that do not ask for each other.

    Attributes:
      choice: the `spaces.compression.cut.Cut`.
    """

    def __init__(self, whole: Compressible, choice: Cut) -> None:
        """Decide. Raises ValueError for a transformer that cannot be cut, and a choice out of reach."""
        self.vit, self._whole, self.choice = whole.vit, whole, choice
        self.layout = _without(whole.layout, self.units)
        text = f"{whole.space_identity}\n{pg.to_json_str(choice)}"
        self.space_identity = hashlib.sha256(text.encode()).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return CutCompressible, (self.whole, self.choice)

    @property
    def whole(self) -> Compressible:
        """The transformer that it is made of."""
        return self._whole

    def cut_by(self, choice: Cut) -> Compressible:
        """Raise ValueError: what stays is chosen once."""
        names = f"{type(self.choice).__name__} and then {type(choice).__name__}"
        raise ValueError(f"the units of one transformer are cut once, not by {names}: let a space have one such member")

    @property
    def units(self) -> Units:
        """Which units stay."""
        return decided(self.whole, self.whole.make, self.choice)

    def make(self, weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return a new smaller model, cut from the whole one with these weights, or with those that it is made with."""
        from spaces.compression.vit_cut import cut

        return cut(self.whole.make(weights), self.units)


def _without(layout: Layout, units: Units) -> Layout:
    """Return the sizes of what stays."""
    blocks = tuple(Block(len(each.heads), len(each.qk), len(each.v), len(each.mlp)) for each in units.blocks)
    width = layout.width if units.embedding is None else len(units.embedding)
    return replace(layout, width=width, cut=blocks)
