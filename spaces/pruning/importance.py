"""How much a channel matters, by its weights: which ones go first at a given rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from spaces.pruning.channels import Channels


def magnitudes(model: nn.Module, found: Channels) -> tuple[np.ndarray, ...]:
    """Return the L2 norm of each unit's filters, in all layers that make it: one float64 array (width,) a group.

    Source: the norm of filters is Li et al., ICLR 2017, section 3.1, there L1. Weights on the meta device are all 0.
    """
    squares = np.zeros(1 + max(int(group.atoms.max()) for group in found.groups))
    for path, layer in found.layers.items():
        module: Any = model.get_submodule(path)
        if not module.weight.is_meta:
            filters = module.weight.detach().flatten(1).square().sum(1).double().cpu().numpy()
            inside = layer.outputs < len(squares)
            np.add.at(squares, layer.outputs[inside], filters[inside])
    return tuple(np.sqrt(squares[group.atoms]) for group in found.groups)


def largest(scores: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the `count` largest scores, ascending; of equal ones the first."""
    return np.sort(np.argsort(-scores, kind="stable")[:count])
