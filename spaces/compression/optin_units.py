"""Heads and neurons of a transformer within a budget of multiply-accumulates, in one shot, without training.

Importance and choice are OPTIN's (Khaki and Plataniotis, ICLR 2024), see `spaces.compression.optin`; patch removal is
left out, and a unit's later layers are its own block's output and those behind it. That each block keeps its most
important head and neuron is this project's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spaces.compression.cut import Cut, Scorer
from spaces.compression.optin import head_macs, importance, neuron_macs, select

if TYPE_CHECKING:
    from torch import Tensor, nn

    from spaces.compression.vit_cut import Units

SAMPLED = 768
"""How many tokens of all images are compared with each other, at most."""


class Importances(Scorer):
    """The importance of heads and neurons on some examples.

    Attributes:
      examples: as of `OptinUnits`.
    """

    examples: Any

    def scores(self, model: nn.Module) -> tuple[np.ndarray, np.ndarray]:
        """Return what `importances` does. Raises ValueError for a model of other names than timm's."""
        from spaces.compression.vit_cut import whole_units

        whole_units(model)
        return importances(model, self.examples()[0])


class OptinUnits(Cut):
    """The heads and neurons of most importance stay; dimensions of heads, and the embedding, stay whole.

    Attributes:
      share: of the multiply-accumulates of all heads and neurons that stays at most, above 0 and below 1.
      examples: a `spaces.compression.examples.Examples`, whose labels are not read.
    """

    share: float
    examples: Any

    @property
    def scorer(self) -> Importances:
        """What finds the importance of units."""
        return Importances(self.examples)

    def units(self, model: nn.Module, scores: Any = None) -> Units:
        """Return which units stay.

        Args:
          model: a vision transformer.
          scores: what `importances` says of it; None to ask.

        Raises:
          ValueError: for a model of other names than timm's, and a share below what one head and neuron a block need.
        """
        from dataclasses import replace

        from spaces.compression.vit_cut import Units, whole_units

        if not 0 < self.share < 1:
            raise ValueError(f"the share of the multiply-accumulates must be above 0 and below 1, got {self.share}")
        whole = whole_units(model)
        heads, neurons = self.scorer.scores(model) if scores is None else scores
        kept = self._select(model, heads, neurons)
        rows = zip(whole, kept, strict=True)
        return Units(tuple(replace(u, heads=np.flatnonzero(of[0]), mlp=np.flatnonzero(of[1])) for u, of in rows))

    def _select(self, model: Any, heads: np.ndarray, neurons: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        tokens, width = model.pos_embed.shape[1:]
        size = model.blocks[0].attn.qkv.weight.shape[0] // 3 // heads.shape[1]
        head, neuron = head_macs(tokens, width, size), neuron_macs(tokens, width)
        budget = self.share * (heads.size * head + neurons.size * neuron)
        least = len(heads) * (head + neuron)
        if budget < least:
            raise ValueError(
                f"a share of {self.share} leaves {budget:.6g} multiply-accumulates; one head and one neuron in each "
                f"block need {least}"
            )
        found = select(_first_chosen(heads), _first_chosen(neurons), budget, head=head, neuron=neuron)
        return list(zip(found.heads, found.neurons, strict=True))


def importances(model: Any, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the importance of heads (blocks, heads) and neurons (blocks, neurons); each takes a pass of the images."""
    import copy

    import torch

    measured = copy.deepcopy(model).eval()
    with torch.no_grad():
        whole, logits = _features(measured, images)
        rows: list[list[float]] = [[], []]
        for place, block in enumerate(measured.blocks):
            size = block.attn.proj.weight.shape[1] // block.attn.num_heads
            for row, layer, each in zip(rows, (block.attn.proj, block.mlp.fc2), (size, 1), strict=True):
                for columns in torch.split(torch.arange(layer.weight.shape[1]), each):
                    kept = layer.weight[:, columns].clone()
                    layer.weight[:, columns] = 0  # nothing of the unit is read
                    without, logits_without = _features(measured, images)
                    layer.weight[:, columns] = kept
                    row.append(importance(whole[place:], without[place:], logits, logits_without))
    heads, neurons = (np.array(row).reshape(len(measured.blocks), -1) for row in rows)
    return heads, neurons


def _features(model: Any, images: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return the features (tokens, channels) of each block, of the same tokens of all images each time, and logits."""
    import torch

    found: list[Tensor] = []
    hooks = [block.register_forward_hook(lambda _, __, out: found.append(out.flatten(0, 1))) for block in model.blocks]
    logits = model(images)
    for hook in hooks:
        hook.remove()
    chosen = torch.randperm(len(found[0]), generator=torch.Generator().manual_seed(0))[:SAMPLED]
    return [each[chosen.to(each.device)] for each in found], logits


def _first_chosen(scores: np.ndarray) -> np.ndarray:
    """Return scores, none below 0, of which each block's largest is raised above all others."""
    raised = scores.copy()
    raised[np.arange(len(raised)), scores.argmax(1)] += 1 + raised.sum()
    return raised
